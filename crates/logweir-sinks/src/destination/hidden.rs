//! What must not show in what a server says.

use std::cmp::Reverse;

use logweir_net::Secret;
use percent_encoding::percent_decode_str;

/// The shortest text that is looked for. What is shorter keeps no secret, and would be found everywhere.
const MIN_BYTES: usize = 5;

/// What stands before a secret in a header and is none.
const SCHEMES: [&str; 5] = ["ApiKey", "Basic", "Bearer", "Splunk", "Token"];

/// Secrets that a server may repeat in an error.
#[derive(Clone, Default, Debug)]
pub(super) struct Hidden(Vec<Secret>);

impl Hidden {
    /// Adds a secret, like a key or the query of a URL, and each of its words and values, which a server may repeat by
    /// themselves, as they are and decoded.
    pub(super) fn add(&mut self, secret: &Secret) {
        let text = secret.expose();
        let values = text.split([' ', '&', '?', '=']).filter(|value| !SCHEMES.contains(value));
        let parts = values.clone().flat_map(|value| value.split(['/', ':', ',']));
        for piece in values.chain(parts).chain([text]) {
            self.add_piece(piece);
        }
    }

    /// Adds the path of a URL, and each part of it that is no plain word.
    pub(super) fn add_path(&mut self, path: &str) {
        let is_token = |part: &&str| part.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase());
        for part in path.split('/').filter(is_token).chain([path]) {
            self.add_piece(part);
        }
    }

    /// Returns a text without the secrets in it.
    pub(super) fn hide_in(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| secret.hide_in(&text))
    }

    fn add_piece(&mut self, piece: &str) {
        let decoded = percent_decode_str(piece).decode_utf8_lossy().into_owned();
        for piece in [piece.to_owned(), decoded] {
            if piece.len() >= MIN_BYTES {
                self.0.push(Secret::new(piece));
            }
        }
        // The longest first: of a secret that holds another nothing is left then.
        self.0.sort_by_key(|secret| Reverse(secret.expose().len()));
        self.0.dedup();
    }
}

impl<'a> FromIterator<&'a Secret> for Hidden {
    fn from_iter<I: IntoIterator<Item = &'a Secret>>(secrets: I) -> Self {
        let mut hidden = Self::default();
        for secret in secrets {
            hidden.add(secret);
        }
        hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_server_repeats_of_a_secret_is_hidden() {
        let secrets = [Secret::new("Splunk hunter-two"), Secret::new("sv=1&sig=a%2Bb%2Fc%3D")];
        let mut hidden: Hidden = secrets.iter().collect();
        assert_eq!(hidden.hide_in("no token hunter-two: Splunk hunter-two"), "no token ***: ***");
        assert_eq!(hidden.hide_in("signature a+b/c= or a%2Bb%2Fc%3D"), "signature *** or ***");
        assert_eq!(hidden.hide_in("a 1"), "a 1");
        hidden.add(&Secret::new("k=a%2Fb-c"));
        hidden.add_path("/in/tok%65n-1/A/services");
        assert_eq!(hidden.hide_in("no token-1, tok%65n-1, a/b-c"), "no ***, ***, ***");
        assert_eq!(hidden.hide_in("/in/token-1/A/services"), "***");
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        let mut hidden: Hidden = [Secret::new("Splunk hunter-two")].iter().collect();
        hidden.add_path("/services/collector/raw");
        let said = "Splunk's services want another token from this collector";
        assert_eq!(hidden.hide_in(said), said);
    }
}
