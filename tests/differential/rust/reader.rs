// Messages on stdin, as rmcp reads them: lines end at LF, a byte order mark is
// taken off any of them, serde_json reads the rest.  What is printed is told in
// reader.py.

use serde_json::Value;
use std::io::{self, BufRead, Write};

fn text(value: Option<&Value>) -> String {
    any(value.filter(|value| value.is_string()))
}

fn any(value: Option<&Value>) -> String {
    value.map_or("-".into(), Value::to_string)
}

fn show(message: &Value) -> String {
    let kind = match message {
        m if m.get("method").is_some() && m.get("id").is_some() => "request",
        m if m.get("method").is_some() => "notification",
        m if m.get("result").is_some() => "result",
        m if m.get("error").is_some() => "error",
        _ => return "nothing".into(),
    };
    let param = |key| message.get("params").and_then(|params| params.get(key));
    [
        kind.into(),
        any(message.get("id")),
        text(message.get("method")),
        text(param("name")),
        text(param("uri")),
        any(param("arguments")),
    ]
    .join("\t")
}

// JSON that serde_json does not take: unpaired surrogates, what is nested 128
// deep or more, numbers past any double.
fn limited(error: &str) -> bool {
    ["surrogate", "hex escape", "recursion limit", "out of range"]
        .iter()
        .any(|limit| error.contains(limit))
}

fn read(line: &[u8]) -> String {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    match serde_json::from_slice(line) {
        Ok(message) => show(&message),
        Err(error) if limited(&error.to_string()) => "refused".into(),
        Err(_) => "unreadable".into(),
    }
}

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        writeln!(out, "{}", read(&line?))?;
    }
    out.flush()
}
