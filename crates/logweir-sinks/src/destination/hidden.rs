//! What must not show in what a server says.

use logweir_net::Secret;
use percent_encoding::percent_decode_str;

/// The shortest text that is looked for. What is shorter keeps no secret, and would be found everywhere.
const MIN_BYTES: usize = 5;

/// Secrets that a server may repeat in an error.
#[derive(Clone, Default, Debug)]
pub(super) struct Hidden(Vec<Secret>);

impl Hidden {
    /// Adds a secret, and each of its words, and values and parts of a path, which a server may repeat by themselves, as
    /// they are and decoded.
    pub(super) fn add(&mut self, secret: &Secret) {
        let text = secret.expose();
        let values = text.split([' ', '&', '?', '=']);
        let parts = values.clone().flat_map(|value| value.split(['/', ':', ',']));
        let decoded = |piece: &str| percent_decode_str(piece).decode_utf8_lossy().into_owned();
        let pieces = values.chain(parts).chain([text]);
        for piece in pieces.flat_map(|piece| [piece.to_owned(), decoded(piece)]) {
            if piece.len() >= MIN_BYTES {
                self.0.push(Secret::new(piece));
            }
        }
        // The longest first: of a secret that holds another nothing is left then.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        self.0.dedup();
    }

    /// Returns a text without the secrets in it.
    pub(super) fn hide_in(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| secret.hide_in(&text))
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
        let hidden: Hidden = secrets.iter().collect();
        assert_eq!(hidden.hide_in("no token hunter-two: Splunk hunter-two"), "no token ***: ***");
        assert_eq!(hidden.hide_in("signature a+b/c= or a%2Bb%2Fc%3D"), "signature *** or ***");
        assert_eq!(hidden.hide_in("a 1"), "a 1");
        let mut path = Hidden::default();
        path.add(&Secret::new("/in/tok%65n-1?k=a%2Fb-c"));
        assert_eq!(path.hide_in("no token-1, tok%65n-1, a/b-c"), "no ***, ***, ***");
    }
}
