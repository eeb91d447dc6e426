//! Where each field of [`Fields`] stands in the record.
//!
//! Enters: fields. Leaves: the ECS objects that have a member. A plain line has none of them, so each object is
//! asked for by its fields before anything is written.

use std::net::IpAddr;

use super::json::Members;
use crate::fields::{Jvm, Monitor};
use crate::{Fields, Text};

/// Writes every object that the parsed fields make, except `event`, `log`, `service`, `labels` and `json`.
pub(super) fn write(fields: &Fields<'_>, members: &mut Members<'_>) {
    if fields.error_type.is_some() || fields.error_message.is_some() || fields.stack_trace.is_some() {
        members.object("error", |error| {
            error.text_if("type", fields.error_type);
            error.text_if("message", fields.error_message);
            error.text_if("stack_trace", fields.stack_trace);
        });
    }
    write_http(fields, members);
    if let Some(address) = fields.source_address {
        write_source(address, members);
    }
    write_named(members, "user", "name", fields.user_name);
    write_named(members, "user_agent", "original", fields.user_agent);
    write_process(fields, members);
    write_named(members, "trace", "id", fields.trace_id);
    write_named(members, "span", "id", fields.span_id);
    if let Some(jvm) = &fields.jvm {
        write_jvm(jvm, members);
    }
    if let Some(monitor) = &fields.monitor {
        write_monitor(monitor, members);
    }
}

fn write_named(members: &mut Members<'_>, object: &str, name: &str, value: Option<Text<'_>>) {
    if let Some(value) = value {
        members.object(object, |object| object.text(name, value));
    }
}

fn write_http(fields: &Fields<'_>, members: &mut Members<'_>) {
    let has_request = fields.http_method.is_some() || fields.http_referrer.is_some();
    let has_response = fields.http_status.is_some() || fields.http_body_bytes.is_some();
    if has_request || has_response || fields.http_version.is_some() {
        members.object("http", |http| {
            http.text_if("version", fields.http_version);
            http.object("request", |request| {
                request.text_if("method", fields.http_method);
                request.text_if("referrer", fields.http_referrer);
            });
            http.object("response", |response| {
                response.number_if("status_code", fields.http_status.map(u64::from));
                response.object("body", |body| body.number_if("bytes", fields.http_body_bytes));
            });
        });
    }
    let probed = fields.monitor.map(|monitor| monitor.url);
    let has_url = fields.url_path.is_some() || fields.url_query.is_some() || fields.url_original.is_some();
    if has_url || probed.is_some() {
        members.object("url", |url| {
            url.text_if("path", fields.url_path);
            url.text_if("query", fields.url_query);
            url.text_if("original", fields.url_original);
            url.text_if("full", probed.map(Text::Plain));
        });
    }
}

/// `source.ip` is an address type to a search engine and refuses names, so only what parses goes there.
fn write_source(address: Text<'_>, members: &mut Members<'_>) {
    let (Text::Plain(inside) | Text::Escaped(inside)) = address;
    members.object("source", |source| {
        source.text("address", address);
        if inside.parse::<IpAddr>().is_ok() {
            source.text("ip", address);
        }
    });
}

fn write_process(fields: &Fields<'_>, members: &mut Members<'_>) {
    if fields.process_pid.is_none() && fields.thread_name.is_none() && fields.thread_id.is_none() {
        return;
    }
    members.object("process", |process| {
        process.number_if("pid", fields.process_pid);
        process.object("thread", |thread| {
            thread.text_if("name", fields.thread_name);
            thread.number_if("id", fields.thread_id);
        });
    });
}

fn write_jvm(jvm: &Jvm<'_>, members: &mut Members<'_>) {
    members.object("jvm", |root| {
        root.object("gc", |gc| gc.text_if("name", jvm.gc_name));
        root.object("memory", |memory| {
            memory.object("old", |old| write_pool(old, jvm.old_used, jvm.old_max));
            memory.object("heap", |heap| write_pool(heap, jvm.heap_used, jvm.heap_max));
        });
    });
}

fn write_pool(pool: &mut Members<'_>, used: Option<u64>, max: Option<u64>) {
    pool.number_if("used", used);
    pool.number_if("max", max);
    if let (Some(used), Some(max @ 1..)) = (used, max) {
        #[expect(clippy::cast_precision_loss, reason = "a share of a heap needs no more than 53 bits")]
        pool.float("used_pct", used as f64 / max as f64);
    }
}

fn write_monitor(monitor: &Monitor<'_>, members: &mut Members<'_>) {
    members.object("monitor", |root| {
        root.plain("id", monitor.id);
        root.plain("name", monitor.name);
        root.plain("type", monitor.kind);
        root.plain("status", if monitor.is_up { "up" } else { "down" });
        root.object("duration", |duration| duration.number("us", monitor.duration_us));
    });
}
