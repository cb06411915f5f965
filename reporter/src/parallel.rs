//! Pieces of work done by several threads at once, with their results in the order of the pieces.

use std::io::{self, Write};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Most threads: more would rather wait for the disk.
const THREADS: usize = 8;

/// Texts of one piece that wait to be taken, and pieces.
const AHEAD: (usize, usize) = (8, 4);

/// Does every piece of work; gives back what they came to, in order.
pub fn map<T: Send>(pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return done;
            }
            done.push((piece, work(piece)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads(pieces)).map(|_| scope.spawn(share)).collect();
        let mut done = share();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(piece, _)| *piece);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Lets every piece of work write, and gives on what they write, in order. No more of it is held
/// than a few texts of a few pieces.
///
/// # Errors
/// The first of a piece, or of `out`.
pub fn write<T: Send>(
    pieces: usize,
    work: impl Fn(usize, Texts<T>) -> io::Result<T> + Sync,
    out: &mut impl Write,
) -> io::Result<Vec<T>> {
    let (order, pieces_in_order) = sync_channel(AHEAD.1);
    let next = Mutex::new((0, order));
    std::thread::scope(|scope| {
        for _ in 0..threads(pieces) {
            scope.spawn(|| {
                while let Some((piece, sender)) = begin(&next, pieces) {
                    let result = work(piece, Texts(sender.clone()));
                    if sender.send(News::Done(result)).is_err() {
                        return;
                    }
                }
            });
        }
        // Whoever writes stops when nobody takes it any more.
        let pieces_in_order = pieces_in_order;
        let mut results = Vec::with_capacity(pieces);
        while results.len() < pieces {
            let texts = pieces_in_order.recv().map_err(|_| gone())?;
            loop {
                match texts.recv().map_err(|_| gone())? {
                    News::Text(text) => out.write_all(&text)?,
                    News::Done(result) => {
                        results.push(result?);
                        break;
                    }
                }
            }
        }
        Ok(results)
    })
}

/// Where a piece of work writes.
#[derive(Debug)]
pub struct Texts<T>(SyncSender<News<T>>);

impl<T> Write for Texts<T> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.send(News::Text(text.to_vec())).map_err(|_| gone())?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
enum News<T> {
    Text(Vec<u8>),
    Done(io::Result<T>),
}

type Order<T> = SyncSender<std::sync::mpsc::Receiver<News<T>>>;

/// Takes the next piece, and its place in the order with it.
fn begin<T>(
    next: &Mutex<(usize, Order<T>)>,
    pieces: usize,
) -> Option<(usize, SyncSender<News<T>>)> {
    let mut next = next.lock().ok()?;
    let piece = next.0;
    if piece == pieces {
        return None;
    }
    next.0 += 1;
    let (sender, receiver) = sync_channel(AHEAD.0);
    next.1.send(receiver).ok()?;
    Some((piece, sender))
}

fn threads(pieces: usize) -> usize {
    let most = std::thread::available_parallelism().map_or(1, NonZero::get);
    most.min(THREADS).min(pieces)
}

fn gone() -> io::Error {
    io::Error::other("a thread ended early")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_texts_keep_their_order() {
        assert_eq!(
            map(100, |piece| piece * 2),
            (0..100).map(|piece| piece * 2).collect::<Vec<_>>()
        );
        let mut out = Vec::new();
        let work = |piece: usize, mut texts: Texts<usize>| {
            for _ in 0..piece % 30 {
                texts.write_all(&[u8::try_from(piece).unwrap_or_default()])?;
            }
            Ok(piece)
        };
        assert_eq!(write(100, work, &mut out).unwrap(), (0..100).collect::<Vec<_>>());
        assert!(out.is_sorted() && out.len() == (0..100).map(|piece| piece % 30).sum::<usize>());
    }

    #[test]
    fn whoever_cannot_write_ends_all_of_it() {
        let work =
            |_: usize, mut texts: Texts<()>| (0..100).try_for_each(|_| texts.write_all(b"text"));
        let mut full = [0_u8; 10];
        assert!(write(50, work, &mut full.as_mut_slice()).is_err());
        let work = |piece: usize, _: Texts<()>| match piece {
            7 => Err(io::Error::other("no")),
            _ => Ok(()),
        };
        assert_eq!(write(50, work, &mut Vec::new()).unwrap_err().to_string(), "no");
    }
}
