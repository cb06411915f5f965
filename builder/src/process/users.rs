//! Who uses a folder at this moment: processes whose command line, environment or working folder
//! names it. Where the system has no `/proc`, none is found.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What the processes of this host name, as far as this user may see it.
pub(super) struct Users(Vec<Vec<u8>>);

impl Users {
    /// Looks at the processes that there are.
    pub(super) fn now() -> Self {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let is_process =
            |entry: &fs::DirEntry| entry.file_name().as_bytes().iter().all(u8::is_ascii_digit);
        let named = processes.filter(is_process).flat_map(|entry| {
            let process = entry.path();
            let folder = fs::read_link(process.join("cwd"));
            [
                fs::read(process.join("cmdline")).unwrap_or_default(),
                fs::read(process.join("environ")).unwrap_or_default(),
                folder.map(|path| path.as_os_str().as_bytes().to_vec()).unwrap_or_default(),
            ]
        });
        Self(named.filter(|text| !text.is_empty()).collect())
    }

    /// Whether a process names the folder or something in it.
    pub(super) fn name(&self, folder: &Path) -> bool {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        [folder, &real].iter().any(|path| {
            let path = path.as_os_str().as_bytes();
            self.0.iter().any(|text| text.windows(path.len()).any(|part| part == path))
        })
    }
}
