//! Files that nobody means to freeze into an image: secrets that git does not track.

use std::path::Path;

/// Names of private keys and of files with passwords, as their tools write them.
const NAMES: [&str; 7] =
    ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", ".pypirc", ".pgpass"];

/// Endings of key stores.
const ENDINGS: [&str; 5] = ["key", "p12", "pfx", "jks", "keystore"];

/// How a private key begins, but for its kind.
const BEGIN: &[u8] = b"-----BEGIN ";

/// Bytes that the first line of a private key does not exceed.
const LINE: usize = 64;

/// Whether the path says that the file holds secrets: `.env*`, also as a folder, and keys.
#[must_use]
pub fn is_secret_name(path: &Path) -> bool {
    let is_environment = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with(".env");
    let named = |name: &std::ffi::OsStr| NAMES.iter().any(|text| name == *text);
    let ending = |text: &str| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(text));
    path.iter().any(is_environment)
        || path.file_name().is_some_and(named)
        || ENDINGS.iter().any(|text| ending(text))
}

/// A search for a private key in a file that is read block by block.
#[derive(Debug, Default)]
pub struct KeySearch {
    found: bool,
    /// What a key's first line in the next block may begin with, and that block.
    text: Vec<u8>,
}

impl KeySearch {
    /// Looks at the next block.
    pub fn add(&mut self, block: &[u8]) {
        if self.found {
            return;
        }
        self.text.extend_from_slice(block);
        self.found = has_key(&self.text);
        self.text.drain(..self.text.len().saturating_sub(LINE));
    }

    /// Whether there was a key.
    #[must_use]
    pub fn found(&self) -> bool {
        self.found
    }
}

fn has_key(text: &[u8]) -> bool {
    let dashes = text.iter().enumerate().filter(|(_, byte)| **byte == b'-');
    dashes.map(|(at, _)| &text[at..]).any(|rest| begins_key(rest) || begins_putty_key(rest))
}

fn begins_key(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(BEGIN) else { return false };
    let is_kind = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    let kind = rest.iter().take(LINE).take_while(|byte| is_kind(byte)).count();
    let (kind, rest) = rest.split_at(kind);
    let after = rest.strip_prefix(b"-----").and_then(<[u8]>::first);
    // A string that ends here is that of a program that knows what keys look like.
    kind.windows(11).any(|words| words == b"PRIVATE KEY")
        && after.is_some_and(|byte| !b"\"'`".contains(byte))
}

fn begins_putty_key(text: &[u8]) -> bool {
    let version = text.strip_prefix(b"-User-Key-File-");
    version.is_some_and(|rest| matches!(rest, [b'0'..=b'9', b':', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for name in [
            ".env",
            "a/.env",
            ".env.local",
            ".env-prod",
            ".envrc",
            ".envs/.production/.django",
            "tls/server.KEY",
            "id_ed25519",
        ] {
            assert!(is_secret_name(Path::new(name)), "{name}");
        }
        for name in ["env.py", "a.env", "env/a.py", "keys.py", "key", "id_rsa.pub", "cert.pem"] {
            assert!(!is_secret_name(Path::new(name)), "{name}");
        }
    }

    fn is_key(blocks: &[&[u8]]) -> bool {
        let mut search = KeySearch::default();
        blocks.iter().for_each(|block| search.add(block));
        search.found()
    }

    #[test]
    fn keys_are_known_by_their_content() {
        for text in [
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
            "# mine\n-----BEGIN PRIVATE KEY-----\n",
            r#"{"private_key": "-----BEGIN PRIVATE KEY-----\nMIIE"}"#,
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
            "PuTTY-User-Key-File-3: ssh-ed25519\n",
        ] {
            assert!(is_key(&[text.as_bytes()]), "{text}");
        }
        for text in [
            "",
            "-----BEGIN CERTIFICATE-----\n",
            "if text.startswith('-----BEGIN PRIVATE KEY-----'):\n",
            "-----BEGIN PRIVATE KEY",
        ] {
            assert!(!is_key(&[text.as_bytes()]), "{text}");
        }
    }

    #[test]
    fn a_key_is_found_wherever_a_file_is_cut() {
        let key = b"certificate\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE";
        let filling = vec![b'-'; 10_000];
        for cut in 0..key.len() {
            let (first, second) = key.split_at(cut);
            assert!(is_key(&[&filling, first, second, &filling]), "cut at {cut}");
        }
        assert!(is_key(&key.chunks(1).collect::<Vec<_>>()));
    }
}
