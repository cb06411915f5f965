//! Digests over several fields that cannot be shifted from one field into the next.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

/// A digest in the making.
pub struct Digest(Sha256);

impl Digest {
    /// Begins a digest; `purpose` keeps digests made for different things apart.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        Self(Sha256::new()).field(purpose)
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a list, so that two lists after one another cannot be mistaken for two others.
    #[must_use]
    pub fn list<T: AsRef<[u8]>>(self, items: impl IntoIterator<Item = T>) -> Self {
        let items: Vec<T> = items.into_iter().collect();
        let start = self.field((items.len() as u64).to_le_bytes());
        items.into_iter().fold(start, Self::field)
    }

    /// The digest in hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cannot_be_shifted_into_one_another() {
        let of = |items: &[&str]| items.iter().fold(Digest::new("x"), Digest::field).finish();
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        let two = |a: &[&str], b: &[&str]| Digest::new("x").list(a).list(b).finish();
        assert_ne!(two(&["a"], &["b"]), two(&["a", "b"], &[]));
        assert_ne!(Digest::new("x").finish(), Digest::new("y").finish());
    }
}
