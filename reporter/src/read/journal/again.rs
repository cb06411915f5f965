//! Lines of a journal that can be read a second time: from its file, or from one beside it where
//! the journal was packed or is no plain text.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use muletrain_proto::event::Event;
use muletrain_proto::journal::Record;

use super::quick;
use crate::pure::words::{Lines, Place, Told};

/// Where lines can be read again.
#[derive(Debug)]
pub(super) enum Again {
    /// In the journal itself.
    File(Arc<File>),
    /// In a file that has no name, with lines up to this byte.
    Spool(Arc<File>, u64),
    /// Nowhere.
    Never,
}

impl Again {
    pub(super) fn spool() -> io::Result<Self> {
        Ok(Self::Spool(Arc::new(tempfile::tempfile()?), 0))
    }

    pub(super) fn file(&self) -> Option<Arc<File>> {
        match self {
            Self::File(file) | Self::Spool(file, _) => Some(file.clone()),
            Self::Never => None,
        }
    }

    /// Where this line of the journal, which starts there, can be read again.
    pub(super) fn keep(&mut self, line: &[u8], start: u64) -> Option<Place> {
        let length = u32::try_from(line.len()).ok()?;
        match self {
            Self::File(_) => Some(Place { start, length }),
            Self::Spool(..) => Some(Place { start: self.append(line).ok()?, length }),
            Self::Never => None,
        }
    }

    /// Adds a piece of a line that is too long to be held; gives back where it begins. In the
    /// journal itself it is there already.
    pub(super) fn append(&mut self, piece: &[u8]) -> io::Result<u64> {
        let Self::Spool(file, end) = self else { return Ok(0) };
        let start = *end;
        file.write_all_at(piece, start)?;
        *end += piece.len() as u64;
        Ok(start)
    }
}

impl Lines for Again {
    fn told(&self, place: Place) -> Result<Told, String> {
        let file = self.file().ok_or("its lines were not kept")?;
        let line = whole(&file, place).map_err(|error| error.to_string())?;
        match quick::entry(&line).map(|entry| entry.record) {
            Ok(Record::Observed { event: Event::Finished(finished), .. }) => Ok(Told {
                reason: finished.reason,
                failures: finished.failures,
                output: finished.output,
            }),
            _ => Err("the journal changed meanwhile".to_owned()),
        }
    }
}

/// All of a line.
pub(super) fn whole(file: &File, place: Place) -> io::Result<String> {
    let mut line = vec![0; place.length as usize];
    file.read_exact_at(&mut line, place.start)?;
    Ok(String::from_utf8(line).unwrap_or_else(|bad| lossy(bad.as_bytes())))
}

/// Text in which what is no UTF-8 is shown as such.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
