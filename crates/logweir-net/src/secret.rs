//! What nobody may see.

use std::fmt;

use http::HeaderValue;
use http::header::InvalidHeaderValue;

/// What stands where a secret was.
const HIDDEN: &str = "***";

/// A key, a token, a password, the value of a header: a text that never shows in logs, errors, metrics or `Debug`.
///
/// Both `Debug` and `Display` give `***`, so that whatever holds a secret may derive `Debug`. The text itself is only
/// given to who [asks for it](Secret::expose) by name.
///
/// ```
/// use logweir_net::Secret;
///
/// let token = Secret::new("hunter2");
/// assert_eq!(format!("{token} {token:?}"), "*** ***");
/// assert_eq!(token.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Returns the secret that this text is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for who must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns it as the value of a header, marked as sensitive: its `Debug` does not show it either.
    ///
    /// # Errors
    ///
    /// If it has a character that no header may have, like a line break. The error does not show it.
    pub fn header_value(&self) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut value = HeaderValue::from_str(&self.0)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Returns a text with every occurrence of this secret replaced by `***`: for what others wrote, like the answer of
    /// a server that repeats what it was sent.
    pub fn hide_in(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        text.replace(&self.0, HIDDEN)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    #[expect(dead_code, reason = "only shown")]
    struct Holder {
        token: Secret,
        header: HeaderValue,
    }

    #[test]
    fn whoever_holds_it_can_be_shown() {
        let token = Secret::new("Splunk hunter2");
        let header = token.header_value().unwrap();
        assert_eq!(header, "Splunk hunter2");
        let shown = format!("{:?}", Holder { token, header });
        assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
    }

    #[test]
    fn a_secret_that_no_header_can_carry_is_refused_unseen() {
        let error = Secret::new("hunter2\r\nHost: elsewhere").header_value().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn it_is_hidden_wherever_it_is_repeated() {
        let token = Secret::from("hunter2");
        assert_eq!(token.hide_in("no hunter2, not hunter2!"), "no ***, not ***!");
        assert_eq!(Secret::new("").hide_in("as it is"), "as it is");
        assert_eq!(token, Secret::from("hunter2".to_owned()));
        assert_ne!(token, Secret::new("hunter3"));
    }
}
