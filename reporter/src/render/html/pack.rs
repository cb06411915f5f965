//! Data that travels in a page: packed, and in an alphabet that means nothing to HTML.

use std::io::Write;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha2::{Digest, Sha256};

/// Bytes in letters, digits and `+/=`.
pub(super) struct Packed(String);

impl Packed {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Packs bytes as `atob` and `DecompressionStream("deflate")` undo it.
pub(super) fn pack(bytes: &[u8]) -> Packed {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    Packed(STANDARD.encode(packed.expect("memory takes whatever is written to it")))
}

/// The source expression that lets a page run just this script, or use just this style.
pub(super) fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// Does the same to all of them, on as many processors as there are; results are in order.
pub(super) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((index, item)) = take(&next, items) {
                    let result = work(item);
                    done.lock().expect("no worker panics with it").push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no worker panics with it");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let text = "größe </script> \u{2028} ".repeat(1000);
        let Packed(packed) = pack(text.as_bytes());
        assert!(packed.len() < text.len() / 10);
        assert!(packed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)));
        let mut found = String::new();
        ZlibDecoder::new(&STANDARD.decode(packed).unwrap()[..]).read_to_string(&mut found).unwrap();
        assert_eq!(found, text);
    }

    #[test]
    fn a_source_is_what_browsers_work_out() {
        let empty = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
        assert_eq!(source(""), empty);
    }

    #[test]
    fn results_are_in_order() {
        let numbers: Vec<usize> = (0..1000).collect();
        assert_eq!(each(&numbers, |number| number * 2), (0..2000).step_by(2).collect::<Vec<_>>());
        assert!(each(&[] as &[u8], |byte| *byte).is_empty());
    }
}
