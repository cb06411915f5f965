//! Where reports go: standard output, and files.

use std::io::{ErrorKind, Write};
use std::path::Path;

use muletrain_proto::cli::print_error;
use muletrain_proto::exit_code::ExitCode;

use crate::files;
use crate::pure::summary::Summary;
use crate::render::junit::junit;

/// Prints a report and writes the files that go with it. What cannot be written is told, and is
/// never green.
#[must_use]
pub fn deliver(text: &str, junit_path: Option<&Path>, summaries: &[Summary]) -> ExitCode {
    let written = junit_path.map_or(Ok(()), |path| files::write(path, &junit(summaries)));
    let printed = print(text);
    let mut code = ExitCode::Green;
    if let Err(error) = written {
        print_error(&error);
        code = code.and(ExitCode::Usage);
    }
    if let Err(error) = printed {
        print_error(&error);
        code = code.and(ExitCode::Usage);
    }
    code
}

/// Prints to standard output. A reader that has seen enough, such as `head`, is no error.
fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
