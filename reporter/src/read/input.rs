//! A file as bytes that can be read more than once: opened, and unpacked where it is packed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use encoding_rs::UTF_8;
use flate2::read::MultiGzDecoder;

use super::detect::{WINDOW, encoding};

/// First bytes of what `gzip` packs.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is unpacked before its size is compared with that of the file.
const UNSUSPICIOUS: u64 = 256 << 20;

/// How many times larger unpacked text may be beyond that. Reports reach some dozens.
const RATIO: u64 = 200;

/// A result that was named on the command line.
#[derive(Debug)]
pub struct Input {
    /// What errors call it.
    pub path: PathBuf,
    file: File,
}

impl Input {
    /// Opens a file. Standard input, which is `-`, and other pipes are taken into a temporary one.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = match path == Path::new("-") {
            true => spooled(&mut io::stdin().lock())?,
            false => {
                let mut file = File::open(path)?;
                match file.metadata()?.is_file() {
                    true => file,
                    false => spooled(&mut file)?,
                }
            }
        };
        Ok(Self { path: path.to_owned(), file })
    }

    /// All of it, from its beginning.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut file = self.file.try_clone()?;
        let mut start = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
        file.seek(SeekFrom::Start(0))?;
        match start == GZIP {
            true => Ok(Box::new(Unpacked::new(file))),
            false => Ok(Box::new(file)),
        }
    }
}

impl Input {
    /// The file at its beginning, where it holds text just as it is read: neither packed nor in
    /// another encoding.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn plain(&self) -> io::Result<Option<File>> {
        let mut file = self.file.try_clone()?;
        let mut start = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.by_ref().take(WINDOW as u64).read_to_end(&mut start)?;
        file.seek(SeekFrom::Start(0))?;
        let is_text = encoding(&start) == (UTF_8, false) && !start.starts_with(b"\xef\xbb\xbf");
        Ok((is_text && !start.starts_with(&GZIP)).then_some(file))
    }
}

fn spooled(reader: &mut impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(reader, &mut file)?;
    Ok(file)
}

/// What was packed by `gzip`; a bomb is an error once it is known to be one.
struct Unpacked<R> {
    decoder: MultiGzDecoder<Counted<R>>,
    given: u64,
}

impl<R: Read> Unpacked<R> {
    fn new(packed: R) -> Self {
        Self { decoder: MultiGzDecoder::new(Counted { inner: packed, read: 0 }), given: 0 }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other("the compressed data is cut off"),
            _ => io::Error::other(format!("the compressed data is damaged: {error}")),
        })?;
        self.given += read as u64;
        let packed = self.decoder.get_ref().read;
        match self.given > UNSUSPICIOUS && self.given / RATIO > packed {
            true => Err(io::Error::other(format!("unpacks to more than {RATIO} times its size"))),
            false => Ok(read),
        }
    }
}

struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}
