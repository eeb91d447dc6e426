use event::Fields;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::parse;
use crate::parser::name::MEMBERS_MAX;
use crate::parser::time::Clock;
use crate::parser::{ParserConfig, shape};

fn check(text: &str, expected: &str) {
    assert_eq!(shape::show(ParserConfig::Json, text), expected, "{text}");
}

#[test]
fn ecs() {
    check(
        r#"{"@timestamp":"2026-11-23T10:30:45.123Z","log.level":"ERROR","message":"no \"stock\"","log.logger":"c.e.X","process.thread.name":"main","service.name":"cart","trace.id":"t1","span.id":"s1"}"#,
        r#"2026-11-23T10:30:45.123Z error message=no \"stock\" logger=c.e.X service=cart thread=main trace=t1 span=s1"#,
    );
    check(
        r#"{"@timestamp":"2026-11-23T10:30:45Z","log":{"level":"warn","logger":"a.b"},"error":{"type":"E","message":"m","stack_trace":"E: m\n\tat x"},"http":{"request":{"method":"GET"},"response":{"status_code":503,"body":{"bytes":7}},"version":"1.1"},"url":{"path":"/a","query":"b"},"process":{"pid":7,"thread":{"id":8}},"event":{"duration":12}}"#,
        r"2026-11-23T10:30:45.000Z warn logger=a.b error=E/m stack=E: m\n\tat x method=GET version=1.1 path=/a query=b status=503 bytes=7 ns=12 pid=7 tid=8",
    );
    check(
        r#"{"message":"m","log":{"level":"info","origin":{"file":{"name":"a.go"}}}}"#,
        r#"info message=m json={log={"level":"info","origin":{"file":{"name":"a.go"}}}}"#,
    );
}

#[test]
fn java() {
    check(
        r#"{"@timestamp":"2026-11-23T18:30:45.123+08:00","@version":"1","message":"m","logger_name":"c.e.X","thread_name":"main","level":"INFO","level_value":20000,"stack_trace":"java.lang.Boom: no\n\tat a.B.c(B.java:1)"}"#,
        r"2026-11-23T10:30:45.123Z info message=m logger=c.e.X thread=main error=java.lang.Boom/no stack=java.lang.Boom: no\n\tat a.B.c(B.java:1) json={@version=1,level_value=20000}",
    );
    check(
        r#"{"timeMillis":1700000000123,"thread":"main","level":"WARN","loggerName":"c.e.X","message":"m","thrown":{"name":"a.B","message":"no","extendedStackTrace":"a.B: no"}}"#,
        "2023-11-14T22:13:20.123Z warn message=m logger=c.e.X thread=main error=a.B/no stack=a.B: no",
    );
}

#[test]
fn go() {
    check(
        r#"{"level":"error","ts":1700000000.25,"logger":"srv","caller":"a/b.go:7","msg":"boom","error":"no stock","stacktrace":"main.main\n\ta/b.go:7"}"#,
        r"2023-11-14T22:13:20.250Z error message=boom logger=srv error=/no stock stack=main.main\n\ta/b.go:7 json={caller=a/b.go:7}",
    );
    check(
        r#"{"level":"dpanic","ts":"2026-11-23T10:30:45.123+0800","msg":"boom"}"#,
        "2026-11-23T02:30:45.123Z fatal message=boom",
    );
    check(
        r#"{"animal":"walrus","level":"info","msg":"m","size":10,"time":"2026-11-23T10:30:45Z"}"#,
        "2026-11-23T10:30:45.000Z info message=m json={animal=walrus,size=10}",
    );
}

#[test]
fn node_and_dotnet_and_python() {
    check(
        r#"{"level":50,"time":1700000000123,"pid":7,"hostname":"h","msg":"m","err":{"type":"TypeError","message":"no","stack":"TypeError: no\n    at /a.js:1:2"}}"#,
        r"2023-11-14T22:13:20.123Z error message=m error=TypeError/no stack=TypeError: no\n    at /a.js:1:2 pid=7 json={hostname=h}",
    );
    check(
        r#"{"name":"app","hostname":"h","pid":7,"level":30,"msg":"m","time":"2026-11-23T10:30:45.123Z","v":0}"#,
        "2026-11-23T10:30:45.123Z info message=m logger=app pid=7 json={hostname=h,v=0}",
    );
    check(
        r#"{"@t":"2026-11-23T10:30:45.1234567Z","@mt":"Hello {User}","@l":"Warning","@x":"System.Boom: no\n   at A","User":"a"}"#,
        r"2026-11-23T10:30:45.123456700Z warn message=Hello {User} error=System.Boom/no stack=System.Boom: no\n   at A json={User=a}",
    );
    check(
        r#"{"asctime":"2026-11-23 10:30:45,123","levelname":"CRITICAL","name":"a.b","message":"m","exc_info":"Traceback (most recent call last):\n  File \"a\"\nValueError: no"}"#,
        r#"2026-11-23T10:30:45.123Z fatal message=m logger=a.b error=ValueError/no stack=Traceback (most recent call last):\n  File \"a\"\nValueError: no"#,
    );
}

#[test]
fn what_does_not_fit_stays_as_it_is() {
    check(
        r#"{"level":"loud","time":"noon","pid":"x","message":{"a":[1,null]}}"#,
        r#"json={level=loud,time=noon,pid=x,message={"a":[1,null]}}"#,
    );
    check(r#"{"msg":"one","message":"two","a":1,"a":2}"#, "message=one json={message=two,a=2}");
    check(r#" { "msg" : "m" , "a" : true , "b" : null } "#, "message=m json={a=Bool(true),b=null}");
    check("{}", "-");
}

#[test]
fn what_is_no_object() {
    for text in [
        "",
        "[]",
        "{",
        r#"{"a":1"#,
        r#"{"a":1}x"#,
        r#"{"a":1}{"a":2}"#,
        r#"{"level":"info","msg":"\ud800"}"#,
        "{'a':1}",
        "{a}",
    ] {
        check(text, "unrecognised");
    }
    let many: Vec<String> = (0..=MEMBERS_MAX).map(|number| format!("\"k{number}\":1")).collect();
    check(&format!("{{{}}}", many.join(",")), "unrecognised");
    check(&format!("{{{},\"msg\":\"m\"}}", many[..MEMBERS_MAX].join(",")).replace("1,", "1 ,"), &{
        let pairs: Vec<String> = (0..MEMBERS_MAX).map(|number| format!("k{number}=1")).collect();
        format!("message=m json={{{}}}", pairs.join(","))
    });
}

proptest! {
    #[test]
    fn what_it_takes_is_valid_and_whole(text in r#"\{("(level|time|msg|log|error|a|b)":("[a-z\\"]{0,5}"|[0-9]{1,14}|\{("(level|type)":"[a-z]*")?\}|null|\[1\]),?){0,5}\}"#) {
        let mut fields = Fields::default();
        let is_recognised = parse(&text, &mut Clock::new(TimeZone::UTC), &mut fields);
        shape::assert_inside(&text, &fields);
        if is_recognised {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        } else {
            prop_assert_eq!(fields, Fields::default());
        }
    }
}
