//! Journals of runs that are over, as text or packed: read line by line, packed.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use muletrain_proto::runs::packed_path;

/// What the name of a journal begins with that is not packed to its end.
const DRAFT: &str = ".packing";

/// First bytes of what is packed.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether a journal's path is that of a packed one.
#[must_use]
pub fn is_packed(journal: &Path) -> bool {
    journal.extension().is_some_and(|ending| ending == "gz")
}

/// Opens a journal for reading, whichever of the two it is by now.
///
/// # Errors
/// When it cannot be read.
pub fn open(journal: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let file = match File::open(journal) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_packed(journal) => {
            File::open(packed_path(journal)).map_err(|_| error)?
        }
        opened => opened?,
    };
    let mut reader = BufReader::new(file);
    match reader.fill_buf()?.starts_with(&MAGIC) {
        true => Ok(Box::new(BufReader::new(MultiGzDecoder::new(reader)))),
        false => Ok(Box::new(reader)),
    }
}

/// The text of a journal as a file of its own, which goes when it is closed.
///
/// # Errors
/// When it cannot be read, or there is no room for it.
pub fn unpacked(journal: &Path) -> io::Result<File> {
    let mut text = tempfile::tempfile()?;
    io::copy(&mut open(journal)?, &mut text)?;
    io::Seek::rewind(&mut text)?;
    Ok(text)
}

/// Packs a journal. It is there all the time, in one form or the other, and its text goes only once
/// what was packed has been read back.
///
/// # Errors
/// When it cannot be read or written; then it stays as it is.
pub fn pack(journal: &Path) -> io::Result<()> {
    let mut text = File::open(journal)?;
    let told = text.metadata()?;
    remove_drafts(journal.parent().unwrap_or(Path::new(".")));
    let directory = journal.parent().unwrap_or(Path::new("."));
    let draft = tempfile::Builder::new().prefix(DRAFT).tempfile_in(directory)?;
    let mut encoder = GzEncoder::new(draft, Compression::fast());
    let length = io::copy(&mut text, &mut encoder)?;
    let mut draft = encoder.finish()?;
    draft.flush()?;
    let mut again = MultiGzDecoder::new(BufReader::new(draft.reopen()?));
    // Its checksum is compared at its end.
    if io::copy(&mut again, &mut io::sink())? != length || length != text.metadata()?.len() {
        return Err(io::Error::other("it changed while it was packed"));
    }
    // Whoever asks how old the run is asks this file from now on.
    draft.as_file().set_modified(told.modified()?)?;
    draft.as_file().sync_all()?;
    draft.persist(packed_path(journal)).map_err(|error| error.error)?;
    fs::remove_file(journal)
}

/// Removes what was left by a process that was killed while it packed.
fn remove_drafts(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            // It is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a journal can be read to its end and looks like one all the way; its last line may be
/// cut off.
#[must_use]
pub fn is_sound(journal: &Path) -> bool {
    let Ok(mut reader) = open(journal) else { return false };
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(_) if !line.ends_with(b"\n") => return true,
            Ok(_) if line.starts_with(b"{") && line.ends_with(b"}\n") => {}
            Ok(_) | Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use muletrain_proto::journal::FILE_NAME;
    use muletrain_proto::runs::journal_in;

    use super::*;

    fn text_of(journal: &Path) -> String {
        let mut text = String::new();
        open(journal).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_packed_journal_reads_as_before_under_either_name() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join(FILE_NAME);
        let text = "{\"line\":1}\n".repeat(10_000);
        fs::write(&plain, &text).unwrap();
        let modified = fs::metadata(&plain).unwrap().modified().unwrap();
        assert_eq!(
            (journal_in(folder.path()), text_of(&plain)),
            (Some(plain.clone()), text.clone())
        );

        pack(&plain).unwrap();
        let packed = folder.path().join("journal.jsonl.gz");
        assert_eq!(journal_in(folder.path()), Some(packed.clone()));
        assert_eq!((text_of(&plain), text_of(&packed)), (text.clone(), text.clone()));
        let mut again = String::new();
        unpacked(&plain).unwrap().read_to_string(&mut again).unwrap();
        assert_eq!(again, text);
        let data = fs::metadata(&packed).unwrap();
        assert_eq!(data.modified().unwrap(), modified);
        assert!(data.len() < 1000, "{}", data.len());
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 1, "nothing else is left");
    }

    #[test]
    fn what_is_damaged_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join(FILE_NAME);
        for (text, sound) in [("{}\n{}\n", true), ("{}\n{\"cut", true), ("{}\n\0\0\n{}\n", false)] {
            fs::write(&plain, text).unwrap();
            assert_eq!(is_sound(&plain), sound, "{text:?}");
        }
        fs::write(&plain, "{}\n".repeat(100)).unwrap();
        pack(&plain).unwrap();
        let packed = packed_path(&plain);
        assert!(is_sound(&packed));
        let whole = fs::read(&packed).unwrap();
        fs::write(&packed, &whole[..whole.len() - 4]).unwrap();
        assert!(!is_sound(&packed));
        assert!(open(&folder.path().join("none")).is_err());
    }
}
