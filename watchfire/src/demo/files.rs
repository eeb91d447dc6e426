//! The demo's `watchfire.yml`: what a user would write for this service.
//!
//! Enters: paths and addresses. Leaves: the file's text.

use std::path::Path;

/// A configuration for the service at `service`, whose vendors are at `vendors`.
pub fn configuration(log: &Path, gc_log: &Path, service: &str, vendors: &str) -> String {
    let (log, gc_log) = (log.display(), gc_log.display());
    let gateway = |name: &str| {
        format!(
            "{{ url: \"http://{vendors}/{name}\", recipients: [\"+8613800000000\"], \
             json: {{ to: \"{{recipient}}\", content: \"{{text}}\" }}, success: {{ code: /code, equals: [\"0\"], reference: /id }} }}"
        )
    };
    let (voice, sms) = (gateway("voice"), gateway("sms"));
    format!(
        r#"# Written by `watchfire demo`.
inputs:
  - file: {{ paths: ["{log}"], service: checkout, multiline: java, parse: auto }}
  - file: {{ paths: ["{gc_log}"], service: checkout, parse: gc }}
  - probe: {{ name: checkout, service: checkout, url: "http://{service}/health", every: 10s, expect: {{ status: 200, within: 5s }} }}
rules: ["rules/*.yml"]
channels:
  oncall-phone: {{ voice: {voice} }}
  oncall-sms: {{ sms: {sms} }}
  ops-group: {{ dingtalk: {{ url: "http://{vendors}/dingtalk", token: demo, secret: demo }} }}
  ops-wecom: {{ wecom: {{ url: "http://{vendors}/wecom", key: demo }} }}
  ops-mail: {{ webhook: {{ url: "http://{vendors}/mail" }} }}
routes:
  P0: {{ channels: [oncall-phone, oncall-sms, ops-group], repeat: 5m }}
  P1: {{ channels: [oncall-sms, ops-wecom] }}
  P2: {{ channels: [ops-mail] }}
state: {{ path: state }}
admin: {{ listen: "127.0.0.1:0" }}
"#
    )
}
