//! What is hidden, and what is not.

use std::sync::{LazyLock, Mutex};

use proptest::prelude::*;
use serde_json::Value as Json;

use super::redactor::Redactor;
use super::*;

/// Made once: it is the expressions that take their time.
static ALL: LazyLock<Mutex<Redactor>> =
    LazyLock::new(|| Mutex::new(redactor("[phone, id_card, bank_card, email, token]")));

fn redactor(patterns: &str) -> Redactor {
    let config: RedactConfig = yaml::parse("shipper.yml", &format!("patterns: {patterns}")).unwrap();
    config.check().unwrap();
    Redactor::new(&config.patterns).unwrap()
}

/// Texts before and after.
fn check(patterns: &str, cases: &[(&str, &str)]) {
    let mut redactor = redactor(patterns);
    for (text, expected) in cases {
        assert_eq!(redactor.redact(text).unwrap_or(text), *expected, "{text}");
        let again = redactor.redact(expected).unwrap_or(expected).to_owned();
        assert_eq!(again, *expected, "a second time");
    }
}

#[test]
fn phones() {
    check(
        "[phone]",
        &[
            ("call 13812345678 now", "call [phone] now"),
            ("手机13812345678，谢谢", "手机[phone]，谢谢"),
            ("+86 138 1234 5678", "+[phone]"),
            ("008613812345678;8619912345678", "[phone];[phone]"),
            ("138-1234-5678 2026-11-23", "[phone] 2026-11-23"),
            ("tel=13812345678.", "tel=[phone]."),
            ("13812345678 13912345678", "[phone] [phone]"),
            (
                "12812345678 x13812345678 138123456789 1381234567",
                "12812345678 x13812345678 138123456789 1381234567",
            ),
            ("0.13812345678 13812345678.5 _13812345678", "0.13812345678 13812345678.5 _13812345678"),
            ("2026-11-23 10:30:45.123 [1] took 13 ms", "2026-11-23 10:30:45.123 [1] took 13 ms"),
        ],
    );
}

#[test]
fn identity_cards() {
    check(
        "[id_card]",
        &[
            ("id 11010519491231002X", "id [id_card]"),
            ("身份证11010519491231002x。", "身份证[id_card]。"),
            ("110105 19491231 002X", "[id_card]"),
            ("440308199901101512", "[id_card]"),
            ("440308199901101513 110105194912310021", "440308199901101513 110105194912310021"),
            ("440308199913101512 044030819990110151", "440308199913101512 044030819990110151"),
            ("11010519491231002XY 11010519491231002", "11010519491231002XY 11010519491231002"),
        ],
    );
}

#[test]
fn bank_cards() {
    check(
        "[bank_card]",
        &[
            ("4111111111111111", "[bank_card]"),
            ("card=4111 1111 1111 1111, ok", "card=[bank_card], ok"),
            ("4111-1111-1111-1111 12", "[bank_card] 12"),
            ("pay 7 4111 1111 1111 1111", "pay 7 [bank_card]"),
            ("3782 822463 10005 378282246310005", "[bank_card] [bank_card]"),
            ("6222020200000000009x 4111111111111112", "6222020200000000009x 4111111111111112"),
            ("1700000000003 at 1795429845123", "1700000000003 at 1795429845123"),
            ("0.4111111111111111", "0.4111111111111111"),
            ("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
        ],
    );
}

#[test]
fn addresses_and_own_patterns() {
    check(
        r"[email, { pattern: 'uid=(\d)\d+', replace: 'uid=$1**' }, { pattern: 'Q{3}' }]",
        &[
            ("from Jane.Doe+x@mail.example.org.", "from [email]."),
            ("邮箱a@b.cn，", "邮箱[email]，"),
            ("a@b user@localhost @x.y", "a@b user@localhost @x.y"),
            ("uid=12345 a@b.cc QQQQ", "uid=1** [email] [redacted]Q"),
        ],
    );
}

#[test]
fn tokens() {
    check(
        "[token]",
        &[
            ("password=hunter2&x=1", "password=[token]&x=1"),
            ("db.password = 'a b' ok", "db.password = '[token]' ok"),
            (r#"{"accessToken": "a\"b", "n": 1}"#, r#"{"accessToken": "[token]", "n": 1}"#),
            (r#"body={\"secret\":\"abc\",\"n\":1}"#, r#"body={\"secret\":\"[token]\",\"n\":1}"#),
            ("Password: geheim, next", "Password: [token], next"),
            ("unexpected token: ; tokens=3 token == x", "unexpected token: ; tokens=3 token == x"),
            ("password=\nnext line", "password=\nnext line"),
            ("Authorization: Bearer abc.def-123", "Authorization: Bearer [token]"),
            ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [token]"),
            ("get https://u:p4ss@host/x http://host:80/", "get https://u:[token]@host/x http://host:80/"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP", "jwt [token]"),
            ("AKIAIOSFODNN7EXAMPLE, XAKIAIOSFODNN7EXAMPLE", "[token], XAKIAIOSFODNN7EXAMPLE"),
        ],
    );
}

#[test]
fn a_secret_is_hidden_whole_whatever_else_is_in_it() {
    check(
        "[phone, email, token]",
        &[("secret=x-13812345678-y!z password=p@ss.word", "secret=[token] password=[token]")],
    );
}

#[test]
fn nested_values_stay_json() {
    let mut redactor = redactor("[phone, token]");
    for (json, is_secret, expected) in [
        ("13812345678", false, "\"[phone]\""),
        (
            r#"{"a":[13812345678,1.5,"tel 13812345678"],"b":null}"#,
            false,
            r#"{"a":["[phone]",1.5,"tel [phone]"],"b":null}"#,
        ),
        (r#"{ "password" : "x\"y" , "n" : "x" }"#, false, r#"{ "password" : "[token]" , "n" : "x" }"#),
        (r#"{"q":"\u0031\u00338\n13812345678"}"#, false, r#"{"q":"138\n[phone]"}"#),
        (r#"["a",{"b":7}]"#, true, r#"["[token]",{"b":7}]"#),
    ] {
        let mut out = String::new();
        assert!(json::rewrite(json, is_secret, &mut redactor, &mut out), "{json}");
        assert_eq!(out, expected, "{json}");
    }
    let mut out = String::new();
    assert!(!json::rewrite(r#"{"a":"","b":[true,-1e5,"\\"]}"#, false, &mut redactor, &mut out));
    assert_eq!(out, r#"{"a":"","b":[true,-1e5,"\\"]}"#);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (yaml, words) in [
        ("patterns: [emial]", "shipper.yml:1:12: unknown value `emial`, did you mean `email`?"),
        ("patterns: [{ pattern: '(' }]", "`(` is not a regular expression this program knows"),
        ("patterns: [{ patern: x }]", "did you mean `pattern`?"),
        ("fields: [mesage]", "shipper.yml:1:10: `mesage` is no text of a record"),
        ("fields: ['labels.*', json.a, 'json.a*']", "`json.a*` is no text of a record"),
    ] {
        let error = yaml::parse::<RedactConfig>("shipper.yml", yaml).unwrap_err().to_string();
        assert!(error.contains(words), "{yaml}\n{error}\nhas no\n{words}");
    }
    for (yaml, words) in [
        ("patterns: []", "`patterns` is empty"),
        ("patterns: [{ pattern: 'x*' }]", "`x*` matches an empty text"),
    ] {
        let config: RedactConfig = yaml::parse("shipper.yml", yaml).unwrap();
        let error = config.check().unwrap_err();
        assert!(error.contains(words), "{yaml}\n{error}");
    }
}

/// The last digit that makes a card's number right.
fn card(digits: &str) -> String {
    (0..10).map(|check| format!("{digits}{check}")).find(|number| is_luhn(number)).unwrap()
}

fn is_luhn(number: &str) -> bool {
    let mut sum = 0;
    for (at, digit) in number.bytes().rev().enumerate() {
        let digit = u32::from(digit - b'0') * if at % 2 == 1 { 2 } else { 1 };
        sum += digit / 10 + digit % 10;
    }
    sum % 10 == 0
}

fn identity(digits: &str) -> String {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{digits}{}", b"10X98765432"[(sum % 11) as usize] as char)
}

/// Every number of a person in `text`, found by trying each piece of it.
fn naive(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let byte = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut found = Vec::new();
    for start in 0..bytes.len() {
        let before = byte(start.checked_sub(1));
        let is_decimal = before == b'.' && byte(start.checked_sub(2)).is_ascii_digit();
        if is_word(before) || is_decimal {
            continue;
        }
        for end in start + 1..=bytes.len().min(start + 25) {
            let is_decimal = byte(Some(end)) == b'.' && byte(Some(end + 1)).is_ascii_digit();
            let Some(piece) = text.get(start..end).filter(|_| !is_word(byte(Some(end))) && !is_decimal)
            else {
                continue;
            };
            let shape: Vec<String> = piece.split([' ', '-']).map(|group| group.len().to_string()).collect();
            let joined: String = piece.chars().filter(|c| *c != ' ' && *c != '-').collect();
            let digits = joined.trim_end_matches(['X', 'x']);
            if joined.len() - digits.len() > 1 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            let is_card = matches!(joined.len(), 13..=19)
                && digits == joined
                && joined.starts_with(['2', '3', '4', '5', '6', '9'])
                && matches!(
                    shape.join("-").as_str(),
                    "13" | "14"
                        | "15"
                        | "16"
                        | "17"
                        | "18"
                        | "19"
                        | "4-6-4"
                        | "4-6-5"
                        | "4-4-4-1"
                        | "4-4-4-2"
                        | "4-4-4-3"
                        | "4-4-4-4"
                        | "4-4-4-4-1"
                        | "4-4-4-4-2"
                        | "4-4-4-4-3"
                )
                && is_luhn(&joined);
            let is_identity = joined.len() == 18
                && matches!(shape.join("-").as_str(), "18" | "6-8-4")
                && !joined.starts_with('0')
                && ["18", "19", "20"].contains(&&joined[6..8])
                && (1..=12).contains(&joined[10..12].parse::<u32>().unwrap())
                && (1..=31).contains(&joined[12..14].parse::<u32>().unwrap())
                && identity(&joined[..17]) == joined.to_uppercase();
            if is_card || is_identity {
                found.push(piece.to_owned());
            }
        }
    }
    found
}

fn piece() -> impl Strategy<Value = String> {
    let grouped = |number: String, every: usize, with: char| {
        let groups: Vec<String> = number
            .as_bytes()
            .chunks(every)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        groups.join(&with.to_string())
    };
    prop_oneof![
        3 => "[2-69][0-9]{11,17}".prop_map(|digits| card(&digits)),
        3 => ("[2-69][0-9]{11,17}", prop::sample::select(vec![' ', '-']))
            .prop_map(move |(digits, with)| grouped(card(&digits), 4, with)),
        3 => "[1-9][0-9]{5}19[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9])[0-9]{3}".prop_map(|digits| identity(&digits)),
        1 => "[1-9][0-9]{5} 20[0-9]{2}(0[1-9])(0[1-9]) [0-9]{3}".prop_map(|digits| {
            let joined: String = digits.chars().filter(|c| *c != ' ').collect();
            format!("{digits}{}", &identity(&joined)[17..])
        }),
        2 => "1[3-9][0-9]{9}",
        4 => "[0-9]{1,6}",
        6 => prop::sample::select(vec![" ", "-", ".", ",", "a", "X", "_", "号", "=", "  "]).prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn no_valid_number_is_left(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let mut redactor = redactor("[id_card, bank_card]");
        let made = redactor.redact(&text).unwrap_or(&text).to_owned();
        prop_assert_eq!(naive(&made), Vec::<String>::new(), "{} became {}", text, made);
        // And nothing is hidden where there is nothing.
        prop_assert!(made == text || !naive(&text).is_empty(), "{} became {}", text, made);
        let mut all = ALL.lock().unwrap();
        let made = all.redact(&text).unwrap_or(&text).to_owned();
        prop_assert_eq!(naive(&made), Vec::<String>::new(), "{} became {}", text, made);
    }

    #[test]
    fn any_text_can_be_redacted(text in "\\PC{0,60}|[a-z0-9@.:=\"'\\\\ -]{0,60}") {
        let mut redactor = ALL.lock().unwrap();
        redactor.redact(&text);
    }

    #[test]
    fn any_json_stays_json(text in "[a-z0-9 \"\\\\\n]{0,12}|1[3-9][0-9]{9}", number in any::<i64>(), is_secret in any::<bool>()) {
        let json = serde_json::json!({ "a": [text, { text.clone(): number, "token": text }], "b": number });
        for written in [json.to_string(), serde_json::to_string_pretty(&json).unwrap()] {
            let (mut redactor, mut out) = (ALL.lock().unwrap(), String::new());
            let is_changed = json::rewrite(&written, is_secret, &mut redactor, &mut out);
            let read: Json = serde_json::from_str(&out).unwrap();
            prop_assert!(is_changed || out == written);
            prop_assert_eq!(read["a"].as_array().map(Vec::len), Some(2));
        }
    }
}
