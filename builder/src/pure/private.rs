//! Files that nobody means to freeze into an image: secrets that git does not track.

use std::path::Path;

/// Bytes of a file's start that [`is_key`] wants to see.
pub const HEAD: usize = 4096;

/// Names of private keys and of files with passwords, as their tools write them.
const NAMES: [&str; 8] =
    ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", ".pypirc", ".pgpass", ".envrc"];

/// Endings of key stores.
const ENDINGS: [&str; 5] = ["key", "p12", "pfx", "jks", "keystore"];

/// Whether the name says that the file holds secrets: `.env`, `.env.local`, keys.
#[must_use]
pub fn is_secret_name(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return false };
    let name = name.to_string_lossy();
    let ending = |text: &str| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(text));
    name == ".env"
        || name.starts_with(".env.")
        || NAMES.contains(&&*name)
        || ENDINGS.iter().any(|text| ending(text))
}

/// Whether a file that starts like this is a private key.
#[must_use]
pub fn is_key(head: &[u8]) -> bool {
    let has = |words: &[u8]| head.windows(words.len()).any(|window| window == words);
    has(b"-----BEGIN ") && has(b"PRIVATE KEY") || head.starts_with(b"PuTTY-User-Key-File-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for name in [".env", "a/.env", ".env.local", ".envrc", "tls/server.KEY", "id_ed25519"] {
            assert!(is_secret_name(Path::new(name)), "{name}");
        }
        for name in ["env.py", ".environment", "keys.py", "key", "id_rsa.pub", "cert.pem"] {
            assert!(!is_secret_name(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn keys_are_known_by_their_content() {
        assert!(is_key(b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl"));
        assert!(is_key(b"# mine\n-----BEGIN PRIVATE KEY-----\n"));
        assert!(!is_key(b"-----BEGIN CERTIFICATE-----\n"));
        assert!(!is_key(b""));
    }
}
