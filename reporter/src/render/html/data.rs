//! What the script of the page works with: a column for each thing that is known of every test, and
//! the rest in pieces that are unpacked when somebody looks.

use std::ops::Range;

use serde_json::{Value, json};

use super::attempts::Attempts;
use super::cause::Cause;
use super::columns::{Columns, OUTCOMES};
use super::pack::{Packed, each, pack};
use super::tables::Tables;
use crate::pure::summary::Summary;

/// Bytes of attempts that are unpacked at a time.
const PIECE: usize = 256 << 10;

/// A part of the data by itself.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) packed: Packed,
}

/// All parts. `beside` is what is known that concerns no single test.
pub(super) fn parts(summaries: &[&Summary], causes: &[Cause], beside: &Value) -> Vec<Part> {
    let tables = Tables::new(summaries);
    let columns = Columns::new(summaries, causes, &tables);
    let attempts = Attempts::new(summaries, &tables);
    let pieces = pieces(&attempts.sizes());
    let meta = json!({
        "runs": tables.runs,
        "apps": tables.apps,
        "classes": tables.classes,
        "agents": tables.agents,
        "leases": tables.leases,
        "outcomes": OUTCOMES,
        "earlier": attempts.earlier(),
        "pieces": pieces.iter().map(Range::len).collect::<Vec<usize>>(),
        "beside": beside,
    });
    let plain = [
        ("meta", meta.to_string().into_bytes()),
        ("names", columns.names.into_bytes()),
        ("class", bytes(&columns.class)),
        ("outcome", columns.outcome),
        ("time", bytes(&columns.time)),
        ("start", bytes(&columns.start)),
        ("lease", bytes(&columns.lease)),
        ("cause", bytes(&columns.cause)),
        ("line", bytes(&columns.line)),
        ("tries", columns.tries),
        ("detailed", bytes(&attempts.numbers())),
    ];
    let packed = each(&plain, |(_, bytes)| pack(bytes));
    let packed_pieces = each(&pieces, |piece| pack(&attempts.piece(piece.clone())));
    let names = plain.iter().map(|(name, _)| (*name).to_owned());
    let piece_names = (0..pieces.len()).map(|number| format!("piece-{number}"));
    names
        .zip(packed)
        .chain(piece_names.zip(packed_pieces))
        .map(|(name, packed)| Part { name, packed })
        .collect()
}

fn bytes(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Cuts a list wherever so many bytes are reached.
fn pieces(sizes: &[usize]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut begin, mut held) = (0, 0);
    for (index, size) in sizes.iter().enumerate() {
        held += size;
        if held >= PIECE {
            pieces.push(begin..index + 1);
            (begin, held) = (index + 1, 0);
        }
    }
    if begin < sizes.len() {
        pieces.push(begin..sizes.len());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_bounded_and_leave_nothing_out() {
        assert!(pieces(&[]).is_empty());
        assert_eq!(pieces(&[1, PIECE, 1, 1]), [0..2, 2..4]);
        assert_eq!(pieces(&[PIECE, PIECE]), [0..1, 1..2]);
    }
}
