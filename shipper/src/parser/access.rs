//! The grammar that the access logs of nginx and Apache share.
//!
//! Enters: one line. Leaves: the request, its answer, and what stands behind. Never: fields of a line that is
//! not one.
//!
//! ```text
//! 127.0.0.1 - alice [25/Oct/2016:14:49:33 +0200] "GET /a?b=c HTTP/1.1" 200 612 "http://r/" "Mozilla/5.0"
//! ```

use event::{Fields, Level, Text, Timestamp};
use memchr::{memchr, memchr2};

use super::time::Clock;

/// One line, in the order in which it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access<'a> {
    /// `%v:%p` in front, as in Apache's `vhost_combined`.
    pub(super) host: Option<&'a str>,
    client: &'a str,
    user: &'a str,
    time: Timestamp,
    request: &'a str,
    status: u16,
    bytes: Option<u64>,
    referrer: Option<&'a str>,
    agent: Option<&'a str>,
    /// What stands behind the user agent, or behind the size in the common format.
    pub(super) extra: &'a str,
}

impl<'a> Access<'a> {
    /// Reads one line.
    pub(super) fn read(text: &'a str, clock: &mut Clock) -> Option<Self> {
        let open = memchr(b'[', text.as_bytes())?;
        let (time, taken) = clock.common(text.as_bytes().get(open + 1..)?)?;
        let (host, client, user) = read_client(text.get(..open)?)?;
        let rest = text.get(open + 1 + taken..)?.strip_prefix("] ")?;
        let (request, rest) = quoted(rest)?;
        let (status, rest) = word(rest);
        let (bytes, mut rest) = word(rest);
        let status = status.parse().ok().filter(|status| (100..1000).contains(status))?;
        if bytes != "-" && bytes.parse::<u64>().is_err() {
            return None;
        }
        let (mut referrer, mut agent) = (None, None);
        if let Some((first, behind)) = quoted(rest)
            && let Some((second, behind)) = quoted(behind)
        {
            (referrer, agent, rest) = (Some(first), Some(second), behind);
        }
        let bytes = bytes.parse().ok();
        Some(Access { host, client, user, time, request, status, bytes, referrer, agent, extra: rest.trim() })
    }

    /// Writes it, with the level that its status stands for.
    pub(super) fn fill(&self, fields: &mut Fields<'a>) {
        fields.timestamp = Some(self.time);
        fields.level = Some(Level::from_http_status(self.status));
        fields.source_address = known(self.client);
        fields.user_name = known(self.user);
        fields.http_status = Some(self.status);
        fields.http_body_bytes = self.bytes;
        fields.http_referrer = self.referrer.and_then(known);
        fields.user_agent = self.agent.and_then(known);
        fill_request(self.request, fields);
        if let Some(host) = self.host {
            fields.labels.push((Text::Plain("vhost"), event::Scalar::Text(Text::Plain(host))));
        }
    }
}

/// `GET /path?query HTTP/1.1`; anything else, as a port scan sends it, leaves only the target.
pub(super) fn fill_request<'a>(request: &'a str, fields: &mut Fields<'a>) {
    if request == "-" || request.is_empty() {
        return;
    }
    let (method, rest) = request.split_once(' ').unwrap_or(("", request));
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_method {
        fields.url_original = Some(Text::Plain(request));
        return;
    }
    fields.http_method = Some(Text::Plain(method));
    let target = match rest.rsplit_once(" HTTP/") {
        Some((target, version)) => {
            fields.http_version = Some(Text::Plain(version));
            target
        }
        None => rest,
    };
    fill_target(target, fields);
}

/// A request target, split into path and query.
pub(super) fn fill_target<'a>(target: &'a str, fields: &mut Fields<'a>) {
    fields.url_original = Some(Text::Plain(target));
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    fields.url_path = Some(path).filter(|path| path.starts_with('/')).map(Text::Plain);
    fields.url_query = query.filter(|query| !query.is_empty()).map(Text::Plain);
}

/// `client ident user `, perhaps with a virtual host in front.
fn read_client(text: &str) -> Option<(Option<&str>, &str, &str)> {
    let text = text.strip_suffix(' ')?;
    let (first, rest) = text.split_once(' ')?;
    let (second, rest) = rest.split_once(' ')?;
    let is_client = !first.is_empty()
        && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-_%".contains(&byte));
    if !is_client {
        return None;
    }
    match rest.split_once(' ') {
        // Four words: host, client, ident, user. A user may hold blanks, so the host must look like
        // `name:port`.
        Some((_, user)) if is_host(first) => Some((Some(first), second, user)),
        _ => Some((None, first, rest)),
    }
}

fn is_host(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(name, port)| !name.contains(':') && port.parse::<u16>().is_ok())
}

/// `"..."` at the start, after blanks; a quote inside is written `\"`.
pub(super) fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ').strip_prefix('"')?;
    let mut at = 0;
    loop {
        let found = at + memchr2(b'"', b'\\', text.as_bytes().get(at..)?)?;
        if text.as_bytes()[found] == b'"' {
            return Some((&text[..found], &text[found + 1..]));
        }
        at = found + 2;
    }
}

/// The text up to the next blank.
pub(super) fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(' ');
    memchr(b' ', text.as_bytes()).map_or((text, ""), |end| text.split_at(end))
}

/// `-` is how web servers write nothing.
fn known(text: &str) -> Option<Text<'_>> {
    (text != "-" && !text.is_empty()).then_some(Text::Plain(text))
}
