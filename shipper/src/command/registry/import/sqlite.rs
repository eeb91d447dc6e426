//! The rows of one table of a SQLite file, read alone.
//!
//! Enters: the bytes of a file that nobody writes. Leaves: rows. Never: an index, a change, a write-ahead log; a depth or a
//! size that the file makes up.
//!
//! The format is <https://www.sqlite.org/fileformat2.html>. A whole SQLite would make every shipper a megabyte larger for a
//! command that runs once.

/// Pages from the root of a table to its leaves at most; SQLite's own files have a handful.
const DEPTH_MAX: usize = 20;
/// Bytes of one row at most.
const ROW_BYTES_MAX: usize = 1 << 20;

/// Why a file cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SqliteError {
    #[error("this is no SQLite 3 database")]
    NoDatabase,
    #[error("its texts are not UTF-8")]
    NoUtf8,
    #[error("page {0} is damaged")]
    Damaged(u32),
}

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    /// Null, a blob, a real number.
    Other,
}

/// A file.
#[derive(Debug)]
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    page_bytes: usize,
    /// Bytes of a page that are SQLite's to use.
    usable: usize,
}

type Rows<'r> = dyn FnMut(&[Value<'_>]) + 'r;

impl<'a> Database<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, SqliteError> {
        let header = bytes.get(..100).filter(|header| header.starts_with(b"SQLite format 3\0"));
        let header = header.ok_or(SqliteError::NoDatabase)?;
        let page_bytes = match big_endian(header, 16, 2) {
            Some(1) => 65536,
            Some(size @ 512..=32768) if size.is_power_of_two() => usize::try_from(size).unwrap_or_default(),
            _ => return Err(SqliteError::NoDatabase),
        };
        // 1 is UTF-8; 0 is a database without a table yet.
        if big_endian(header, 56, 4).is_some_and(|encoding| encoding > 1) {
            return Err(SqliteError::NoUtf8);
        }
        let reserved = header.get(20).copied().map_or(0, usize::from);
        let usable = page_bytes.checked_sub(reserved).filter(|usable| *usable >= 480);
        Ok(Database { bytes, page_bytes, usable: usable.ok_or(SqliteError::NoDatabase)? })
    }

    /// The root page and the `CREATE TABLE` of a table.
    pub fn table(&self, name: &str) -> Result<Option<(u32, String)>, SqliteError> {
        let mut found = None;
        // The schema is a table itself: type, name, table, root page, text.
        self.rows(1, &mut |row| {
            if let [Value::Text("table"), Value::Text(is), _, Value::Integer(root), Value::Text(sql)] = row
                && *is == name
            {
                found = u32::try_from(*root).ok().map(|root| (root, (*sql).to_owned()));
            }
        })?;
        Ok(found)
    }

    /// Gives every row of the table at `root`.
    pub fn rows(&self, root: u32, take: &mut Rows<'_>) -> Result<(), SqliteError> {
        let mut pages_left = self.bytes.len() / self.page_bytes;
        self.walk(root, DEPTH_MAX, &mut pages_left, take)
    }

    fn page(&self, number: u32) -> Result<&'a [u8], SqliteError> {
        let start = (number as usize).checked_sub(1).and_then(|before| before.checked_mul(self.page_bytes));
        let page = start.and_then(|start| self.bytes.get(start..start.checked_add(self.page_bytes)?));
        page.ok_or(SqliteError::Damaged(number))
    }

    fn walk(
        &self,
        number: u32,
        depth: usize,
        pages_left: &mut usize,
        take: &mut Rows<'_>,
    ) -> Result<(), SqliteError> {
        let damaged = SqliteError::Damaged(number);
        let page = self.page(number)?;
        // Page 1 begins with the file's header.
        let at = if number == 1 { 100 } else { 0 };
        *pages_left = pages_left.checked_sub(1).ok_or(SqliteError::Damaged(number))?;
        let (Some(kind), Some(cells)) = (page.get(at), big_endian(page, at + 3, 2)) else {
            return Err(damaged);
        };
        let is_leaf = match kind {
            0x0d => true,
            0x05 if depth > 0 => false,
            _ => return Err(damaged),
        };
        let pointers = at + if is_leaf { 8 } else { 12 };
        for cell in 0..usize::try_from(cells).unwrap_or_default() {
            let place =
                big_endian(page, pointers + 2 * cell, 2).and_then(|place| usize::try_from(place).ok());
            let place = place.ok_or(SqliteError::Damaged(number))?;
            if is_leaf {
                let row = self.row(page, place).ok_or(SqliteError::Damaged(number))?;
                take(&values(&row).ok_or(SqliteError::Damaged(number))?);
            } else {
                self.walk(child(page, place, number)?, depth - 1, pages_left, take)?;
            }
        }
        if is_leaf { Ok(()) } else { self.walk(child(page, at + 8, number)?, depth - 1, pages_left, take) }
    }

    /// The record of the leaf cell at `place`, put together from its overflow pages.
    fn row(&self, page: &'a [u8], place: usize) -> Option<Vec<u8>> {
        let (size, after_size) = varint(page, place)?;
        let (_, start) = varint(page, after_size)?;
        let size = usize::try_from(size).ok().filter(|size| *size <= ROW_BYTES_MAX)?;
        let most = self.usable - 35;
        if size <= most {
            return page.get(start..start + size).map(<[u8]>::to_vec);
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let spread = least + (size - least) % (self.usable - 4);
        let local = if spread <= most { spread } else { least };
        let mut row = page.get(start..start + local)?.to_vec();
        let mut next = big_endian(page, start + local, 4)?;
        while row.len() < size {
            let overflow = self.page(u32::try_from(next).ok()?).ok()?;
            next = big_endian(overflow, 0, 4)?;
            let more = (size - row.len()).min(self.usable - 4);
            row.extend_from_slice(overflow.get(4..4 + more)?);
        }
        Some(row)
    }
}

fn child(page: &[u8], place: usize, number: u32) -> Result<u32, SqliteError> {
    let child = big_endian(page, place, 4).and_then(|child| u32::try_from(child).ok());
    child.ok_or(SqliteError::Damaged(number))
}

/// The values of a record: their types first, then their bytes.
fn values(row: &[u8]) -> Option<Vec<Value<'_>>> {
    let (header, mut at) = varint(row, 0)?;
    let header = usize::try_from(header).ok().filter(|header| *header <= row.len())?;
    let mut body = header;
    let mut values = Vec::new();
    while at < header {
        let (kind, next) = varint(row, at)?;
        at = next;
        let size = match kind {
            0 | 8..=11 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let bytes = row.get(body..body.checked_add(size)?)?;
        body += size;
        values.push(match kind {
            1..=6 => Value::Integer(integer(bytes)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            13.. if kind % 2 == 1 => Value::Text(std::str::from_utf8(bytes).ok()?),
            _ => Value::Other,
        });
    }
    Some(values)
}

/// Big endian, two's complement.
fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| *byte >= 0x80) { -1 } else { 0 };
    bytes.iter().fold(sign, |value, byte| (value << 8) | i64::from(*byte))
}

fn big_endian(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
}

/// Seven bits in each byte, the high bit says that more follow; the ninth byte has eight. Gives the place behind it too.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for count in 0..9 {
        let byte = *bytes.get(at + count)?;
        if count == 8 {
            return Some(((value << 8) | u64::from(byte), at + 9));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, at + count + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests;
