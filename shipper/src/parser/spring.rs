//! Spring Boot 2 and 3, logback, log4j2 and everything alike: a time, a level, and a message.
//!
//! Enters: a record, perhaps with a stack trace below. Leaves: the head's parts, the message, the exception.
//! Never: a line without a time and a level.
//!
//! ```text
//! 2026-11-23T10:30:45.123+08:00  INFO 4711 --- [checkout] [nio-8080-exec-1] c.e.OrderController  : order 17 paid
//! 2026-11-23 10:30:45.123  WARN 4711 --- [           main] o.s.boot.SpringApplication : slow start
//! 10:30:45.123 [main] INFO  com.example.Handler - started
//! 2026-11-23 10:30:45,123 ERROR [worker-1] c.e.svc.Handler - request 7 failed
//! 2026-11-23T00:00:00.123Z ERROR [checkout] [trace=9f86d081884c7d65] com.example.Handler - request failed
//! [2026-11-23T08:19:35,939][INFO ][o.e.n.Node               ] [node-1] initializing
//! ```

use event::{Fields, Timestamp};

use super::head::Head;
use super::time::Clock;

/// Reads one record; `fields` stay untouched when it has no time or no level.
pub(super) fn parse<'a>(
    text: &'a str,
    read_at: Timestamp,
    clock: &mut Clock,
    fields: &mut Fields<'a>,
) -> bool {
    let head = Head::read(text, read_at, clock);
    let is_recognised = head.is_whole();
    if is_recognised {
        head.fill(text, fields);
    }
    is_recognised
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    fn check(text: &str, expected: &str) {
        assert_eq!(shape::show(ParserConfig::Spring, text), expected, "{text}");
    }

    #[test]
    fn spring_boot() {
        check(
            "2026-11-23T10:30:45.123+08:00  INFO 4711 --- [checkout] [nio-8080-exec-1] c.e.OrderController  : order 17 paid",
            "2026-11-23T02:30:45.123Z info message=order 17 paid logger=c.e.OrderController service=checkout thread=nio-8080-exec-1 pid=4711",
        );
        check(
            "2026-11-23 10:30:45.123  WARN 4711 --- [           main] o.s.boot.SpringApplication   : slow start",
            "2026-11-23T10:30:45.123Z warn message=slow start logger=o.s.boot.SpringApplication thread=main pid=4711",
        );
        check(
            "2026-11-23T10:30:45.123Z ERROR 1 --- [app] [main] [803b448a0489f84084905d3093480352-3425f23bb2432450] c.e.X : a - b : c",
            "2026-11-23T10:30:45.123Z error message=a - b : c logger=c.e.X service=app thread=main trace=803b448a0489f84084905d3093480352 span=3425f23bb2432450 pid=1",
        );
        check(
            "2026-11-23 10:30:45.123  INFO [cart,5f3ea1b2c3d4e5f6,9a] 4711 --- [main] c.e.X : hello",
            "2026-11-23T10:30:45.123Z info message=hello logger=c.e.X service=cart thread=main trace=5f3ea1b2c3d4e5f6 span=9a pid=4711",
        );
    }

    #[test]
    fn logback_and_log4j() {
        check(
            "10:30:45.123 [main] INFO  com.example.Handler - started - really",
            "2026-11-23T10:30:45.123Z info message=started - really logger=com.example.Handler thread=main",
        );
        check(
            "2026-11-23 10:30:45,123 ERROR [worker-1] c.e.svc.Handler - request 7 failed",
            "2026-11-23T10:30:45.123Z error message=request 7 failed logger=c.e.svc.Handler thread=worker-1",
        );
        check(
            "2026-11-23 10:30:45.123 [main] INFO  c.e.Handler: no blank before the colon",
            "2026-11-23T10:30:45.123Z info message=no blank before the colon logger=c.e.Handler thread=main",
        );
        check(
            "[2018-05-17T08:19:35,939][INFO ][o.e.n.Node               ] [] initializing ...",
            "2018-05-17T08:19:35.939Z info message=[] initializing ... logger=o.e.n.Node",
        );
        check(
            "Jul 09, 2015 3:23:29 PM com.example.Main run\nSEVERE: disk is full",
            "2015-07-09T15:23:29.000Z error message=disk is full logger=com.example.Main",
        );
    }

    #[test]
    fn names_in_brackets() {
        check(
            "2026-11-23T00:00:00.123Z ERROR [checkout] [trace=9f86d081884c7d65] com.example.checkout.Handler - request completed status=500",
            "2026-11-23T00:00:00.123Z error message=request completed status=500 logger=com.example.checkout.Handler service=checkout trace=9f86d081884c7d65",
        );
        check(
            "2026-11-23T00:00:00Z ERROR [user=7] [main] boom",
            "2026-11-23T00:00:00.000Z error message=[user=7] [main] boom",
        );
    }

    #[test]
    fn others() {
        check(
            "2026-11-23 10:30:45,123 - billing.tasks - ERROR - charge failed",
            "2026-11-23T10:30:45.123Z error message=charge failed logger=billing.tasks",
        );
        check(
            "2026-11-23T10:30:45.123Z  INFO my_crate::server: listening on 80",
            "2026-11-23T10:30:45.123Z info message=listening on 80 logger=my_crate::server",
        );
        check(
            "2026-11-23T10:30:45.123Z\tINFO\tserver/main.go:12\tready",
            "2026-11-23T10:30:45.123Z info message=server/main.go:12\tready",
        );
        check(
            "\u{1b}[2m2026-11-23T10:30:45Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m \u{1b}[2mapp::x\u{1b}[0m: hi",
            "2026-11-23T10:30:45.000Z info message=hi logger=app::x",
        );
        check(
            "E1123 09:30:45.123456   12345 server.go:123] connection lost",
            "2026-11-23T09:30:45.123456000Z error message=connection lost pid=12345 labels={caller=server.go:123}",
        );
    }

    #[test]
    fn exceptions() {
        check(
            "2026-11-23 10:30:45,123 ERROR [w] c.e.H - failed\njava.lang.Boom: no\n\tat a.B.c(B.java:1)\n",
            "2026-11-23T10:30:45.123Z error message=failed logger=c.e.H thread=w error=java.lang.Boom/no stack=java.lang.Boom: no\n\tat a.B.c(B.java:1)",
        );
        check(
            "2026-11-23 10:30:45,123 WARN first\nsecond",
            "2026-11-23T10:30:45.123Z warn message=first\nsecond",
        );
    }

    #[test]
    fn what_is_no_head() {
        for text in [
            "",
            "hello",
            "2026-11-23 10:30:45 started",
            "INFO only",
            "[main] INFO x",
            "2026-11-23",
            "12:00 ERROR x",
        ] {
            check(text, "unrecognised");
        }
    }
}
