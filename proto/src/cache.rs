//! Where the binaries keep what only saves time: it may go at any moment.

use std::path::PathBuf;

/// The user's cache folder of muletrain; none where the user has no home.
#[must_use]
pub fn default_folder() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = given.filter(|path| path.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".cache"));
    Some(base.or_else(home)?.join("muletrain"))
}
