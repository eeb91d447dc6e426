//! The languages, by traces as their runtimes write them.

use super::*;

#[test]
fn none() {
    assert_eq!(
        join(&mut preset(Preset::None), "one\n\tat a.B.c(B.java:1)\n"),
        ["one", "\tat a.B.c(B.java:1)"]
    );
}

#[test]
fn headers_make_records() {
    for language in LANGUAGES {
        check(
            language,
            &[
                "2026-11-23 10:30:45,123 INFO one",
                "2026-11-23 10:30:45,124 INFO two",
                "2026-11-23 10:30:45,125 ERROR three\nany text\n\n  SELECT 1\n{\"dump\":1}\nERROR inside",
                "2026-11-23 10:30:45,126 INFO four",
                "[0.342s][info][gc] another program's line",
                "2026-11-23 10:30:45,127 INFO five",
            ],
        );
        check(
            language,
            &["{\"a\":1}", "{\"a\":2}", "level=info msg=x", "plain", "", "  indented", "  ", "at noon"],
        );
    }
}

#[test]
fn java() {
    check(
        Preset::Java,
        &[
            "2026-11-23 10:30:45,123 ERROR failed\na.b.CException: no\n\tat a.B.c(B.java:1)\nCaused by: a.D: x\n\t... 1 more",
            "2026-11-23 10:30:45,124 INFO two",
        ],
    );
    check(
        Preset::Java,
        &[
            "started",
            "Exception in thread \"main\" a.B: no\n\tat a.B.c(B.java:1)\n\tSuppressed: x\n\t\tat a.B.c(B.java:1)",
            "java.lang.OutOfMemoryError: heap\n\tat a.B.c(B.java:1)",
            "stopped",
        ],
    );
    check(
        Preset::Java,
        &[
            "Jul 09, 2015 3:23:29 PM com.x.Y run\nSEVERE: one",
            "Jul 09, 2015 3:23:30 PM com.x.Y run\nINFO: two\nmore",
            "Jul 09, 2015 3:23:31 PM com.x.Y run\nINFO: three",
        ],
    );
}

#[test]
fn python() {
    let trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\n    f()\nKeyError: 'a'";
    check(Preset::Python, &["one", trace, "two", trace, trace]);
    check(
        Preset::Python,
        &[
            &format!(
                "{trace}\n\nDuring handling of the above exception, another exception occurred:\n\n{trace}"
            ),
            "two",
        ],
    );
    check(Preset::Python, &[&format!("ERROR:root:failed\n{trace}"), "INFO:root:two"]);
    check(Preset::Python, &[&format!("ERROR {trace}"), "INFO two"]);
}

#[test]
fn go() {
    let dump = "goroutine 1 [running]:\nmain.(*T).f(0x1, {0x2, 0x3})\n\t/a/b.go:7 +0x1\ncreated by main.g in goroutine 2\n\t/a/b.go:8 +0x2";
    check(
        Preset::Go,
        &["one", &format!("panic: a [recovered]\n\tpanic: b\n\n{dump}\nexit status 2"), "two (x)"],
    );
    check(
        Preset::Go,
        &[
            "2026/11/23 10:30:45 one",
            "2026/11/23 10:30:45 two",
            &format!("panic: no\n\n{dump}"),
            "2026/11/23 10:30:46 three",
        ],
    );
    check(
        Preset::Go,
        &[
            &format!("2026/11/23 10:30:45 http: panic serving 1.2.3.4:5: no\n{dump}"),
            "2026/11/23 10:30:46 two",
        ],
    );
}

#[test]
fn dotnet() {
    let trace = "System.InvalidOperationException: no stock\n ---> System.Net.Sockets.SocketException (111): refused\n   at Shop.Sell(Int32 id) in /src/Shop.cs:line 3\n   --- End of inner exception stack trace ---\n   at Shop.Buy(Int32 id) in /src/Shop.cs:line 7\n--- End of stack trace from previous location ---\n   at Program.<Main>$(String[] args)";
    check(Preset::Dotnet, &["started", trace, "stopped", trace]);
    check(Preset::Dotnet, &["started", &format!("Unhandled exception. {trace}"), "stopped"]);
    check(Preset::Dotnet, &["started", &format!("Unhandled Exception:\n{trace}"), "stopped"]);
    check(
        Preset::Dotnet,
        &[
            "System.AggregateException: One or more errors occurred. (a) (b)\n ---> System.Exception: a\n   --- End of inner exception stack trace ---\n   at A.B()\n ---> (Inner Exception #1) System.Exception: b\n   at A.C()<---\n",
            "stopped",
        ],
    );
    check(
        Preset::Dotnet,
        &[
            "info: Microsoft.Hosting.Lifetime[14]\n      Now listening on: http://localhost:5000",
            &format!("fail: Shop.Checkout[0]\n      It failed.\n      {}", trace.replace('\n', "\n      ")),
            "info: Shop.Checkout[0]\n      two\n      lines",
        ],
    );
    check(
        Preset::Dotnet,
        &[
            "[10:30:45 INF] one",
            "[10:30:45 INF] two",
            &format!("[10:30:45 ERR] three\n{trace}\nany text"),
            "[10:30:46 INF] four",
        ],
    );
    check(
        Preset::Dotnet,
        &["System.Exception: 不行\n   在 Shop.Buy(Int32 id) 位置 C:\\Shop.cs:行号 7", "two"],
    );
}

#[test]
fn node() {
    let trace = "Error: no stock\n    at buy (/app/shop.js:7:11)\n    at async /app/shop.js:12:3\n    at Module._compile (node:internal/modules/cjs/loader:1105:14)";
    check(Preset::Node, &["one", trace, "two", trace, "three"]);
    let caused = "TypeError [ERR_X]: no stock\n    at buy (/app/shop.js:7:11) {\n  code: 'ERR_X',\n  [cause]: Error: sold\n      at sell (/app/shop.js:3:9) {\n    errno: -2\n  }\n}";
    check(Preset::Node, &["one", caused, "two", caused, "}"]);
    check(
        Preset::Node,
        &[
            "one",
            &format!("/app/shop.js:7\n    throw new Error('no stock')\n    ^\n\n{caused}\n\nNode.js v22.4.0"),
            "two",
        ],
    );
    check(
        Preset::Node,
        &[
            "node:internal/process/promises:288\n            triggerUncaughtException(err, true);\n            ^\n\nno stock\n(Use `node --trace-uncaught ...` to show where the exception was thrown)",
            "two",
        ],
    );
    check(
        Preset::Node,
        &[
            "AggregateError: many\n    at all (/app/a.js:1:2) {\n  [errors]: [\n    Error: a\n        at a (/app/a.js:3:4)\n  ]\n}",
            "[Error: ENOENT: no such file, open 'x'] {\n  errno: -2,\n  code: 'ENOENT'\n}",
            "two",
        ],
    );
    check(Preset::Node, &[&format!("ERROR failed\n{caused}"), "INFO {", "INFO two"]);
    check(Preset::Node, &[&format!("[10:30:45.123] ERROR: {caused}"), "[10:30:45.124] INFO: two"]);
}

#[test]
fn ruby() {
    let trace = "shop.rb:7:in 'Shop#buy': no stock (RuntimeError)\n\tfrom shop.rb:12:in 'block in <main>'\n\t ... 7 levels...\n\tfrom shop.rb:14:in '<main>'";
    check(Preset::Ruby, &["one", trace, "two", trace]);
    check(Preset::Ruby, &["one", &trace.replace("in '", "in `"), "two"]);
    check(
        Preset::Ruby,
        &[
            "one",
            &format!("{trace}\nshop.rb:3:in 'Shop#sell': sold (Sold)\n\tfrom shop.rb:7:in 'Shop#buy'"),
            "two",
        ],
    );
    check(
        Preset::Ruby,
        &[
            "shop.rb:1:in 'Integer#+': nil can't be coerced into Integer (TypeError)\n\n    1 + nil\n        ^^^\n\tfrom shop.rb:1:in '<main>'",
            "two",
        ],
    );
    check(
        Preset::Ruby,
        &[
            "shop.rb:1:in '<main>': undefined method 'foz' (NoMethodError)\nDid you mean?  foo\n\tfrom shop.rb:1:in '<main>'",
            "two",
        ],
    );
    check(
        Preset::Ruby,
        &[
            "Traceback (most recent call last):\n\t1: from shop.rb:12:in `<main>'\nshop.rb:7:in `buy': no stock (RuntimeError)",
            "two",
        ],
    );
    check(
        Preset::Ruby,
        &[
            &format!(
                "#<Thread:0x00007f shop.rb:1 run> terminated with exception (report_on_exception is true):\n{trace}"
            ),
            "two",
        ],
    );
    check(
        Preset::Ruby,
        &[
            "E, [2026-11-23T10:30:45.123456 #7] ERROR -- : no stock (RuntimeError)\nshop.rb:7:in 'buy'\nshop.rb:12:in '<main>'",
            "I, [2026-11-23T10:30:45.123457 #7]  INFO -- : two",
        ],
    );
    check(
        Preset::Ruby,
        &["NoMethodError (undefined method 'x' for nil):\n  app/shop.rb:7:in 'buy'", "Completed 500"],
    );
}

#[test]
fn php() {
    let trace = "PHP Fatal error:  Uncaught RuntimeException: sold in /app/shop.php:3\nStack trace:\n#0 /app/shop.php(7): Shop->sell()\n#1 [internal function]: buy()\n#2 {main}\n  thrown in /app/shop.php on line 3";
    check(Preset::Php, &["one", trace, "two", trace]);
    let chained = trace.replace(
        "\n  thrown",
        "\n\nNext LogicException: no stock in /app/shop.php:7\nStack trace:\n#0 {main}\n  thrown",
    );
    check(Preset::Php, &["one", &chained, "two"]);
    let dated = |text: &str| format!("[23-Nov-2026 10:30:45 UTC] {text}");
    check(
        Preset::Php,
        &[&dated("PHP Warning:  x"), &dated(&chained), &dated("PHP Warning:  y"), &dated("z\nany text")],
    );
    check(
        Preset::Php,
        &[
            "[2026-11-23 10:30:45] local.ERROR: no stock {\"exception\":\"[object] (LogicException(code: 0): no stock at /app/shop.php:7)\n[stacktrace]\n#0 /app/shop.php(12): buy()\n#1 {main}\n\n[previous exception] [object] (RuntimeException(code: 0): sold at /app/shop.php:3)\n[stacktrace]\n#0 {main}\n\"}",
            "[2026-11-23 10:30:46] local.INFO: two",
        ],
    );
    check(Preset::Php, &["PHP Fatal error:  Uncaught Error: x in /a.php:3", "two"]);
    check(
        Preset::Php,
        &[
            "PHP Fatal error:  Uncaught Error: x\nPHP Stack trace:\nPHP   1. {main}() /app/shop.php:0",
            "#1 done",
        ],
    );
}

#[test]
fn lines_of_several_programs() {
    check(
        Preset::Auto,
        &[
            "one",
            "Traceback (most recent call last):\n  File \"a.py\", line 1\n    f()\nKeyError: 'a'",
            "panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/b.go:7 +0x1",
            "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\nCaused by: a.D: x\n\t... 1 more",
            "shop.rb:7:in 'buy': no stock (RuntimeError)\n\tfrom shop.rb:14:in '<main>'",
            "exception 'Exception' with message 'x' in /a.php:5\nStack trace:\n#0 {main}",
            "TypeError: x\n    at f (/a.js:1:2) {\n  code: 7\n}",
            "fail: Shop[0]\n      no stock",
            "{\"level\":\"info\"}",
            "level=info msg=x",
            "two",
        ],
    );
}
