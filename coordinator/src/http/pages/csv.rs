//! A list as a file for spreadsheets (RFC 4180).

use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

/// A file that is written row by row.
pub(super) struct Csv {
    name: &'static str,
    text: String,
}

impl Csv {
    /// A file of this name with these columns.
    pub(super) fn new<const N: usize>(name: &'static str, columns: [&str; N]) -> Self {
        let text = columns.join(",") + "\r\n";
        Self { name, text }
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.text += &cells.map(|cell| field(&cell)).join(",");
        self.text += "\r\n";
    }

    /// The file, to be taken along.
    pub(super) fn into_answer(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (
                CONTENT_DISPOSITION,
                format!("attachment; filename=\"{}\"", self.name),
            ),
            (CACHE_CONTROL, "no-store".to_owned()),
        ];
        (headers, self.text).into_response()
    }
}

/// A cell. What a spreadsheet would compute is kept text: names come from people.
fn field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn cells_are_quoted_and_never_computed() {
        let cells = ["plain", "a,b", "say \"no\"", "=1+1", "-1", "@sum"].map(field);
        let right = ["plain", "\"a,b\"", "\"say \"\"no\"\"\"", "'=1+1", "'-1", "'@sum"];
        assert_eq!(cells, right);
    }
}
