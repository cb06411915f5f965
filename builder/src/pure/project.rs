//! Where a project's `manage.py` is.

/// What is found of `manage.py` in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manage {
    /// Here, relative to the root.
    At(String),
    /// Nowhere.
    Nowhere,
    /// In several folders, and in none that goes before the others.
    Several(Vec<String>),
}

/// Folders below the root in which a lone `manage.py` is still taken for the project's.
const DEPTH: usize = 2;

/// Finds `manage.py`: in the root, else the only one near it.
#[must_use]
pub fn find_manage<'a>(paths: impl IntoIterator<Item = &'a str>) -> Manage {
    let is_one = |path: &&str| *path == "manage.py" || path.ends_with("/manage.py");
    let near = |path: &&str| path.matches('/').count() <= DEPTH;
    let mut found: Vec<String> =
        paths.into_iter().filter(is_one).filter(near).map(str::to_owned).collect();
    match found.iter().position(|path| path == "manage.py") {
        Some(index) => Manage::At(found.swap_remove(index)),
        None if found.len() > 1 => Manage::Several(found),
        None => found.pop().map_or(Manage::Nowhere, Manage::At),
    }
}

/// The folder of a `manage.py`; empty for the root.
#[must_use]
pub fn folder_of(manage: Option<&str>) -> &str {
    manage.and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_in_the_root_wins_then_the_only_one() {
        let at = |path: &str| Manage::At(path.to_owned());
        assert_eq!(find_manage(["manage.py", "a/manage.py"]), at("manage.py"));
        assert_eq!(find_manage(["src/manage.py", "a.py"]), at("src/manage.py"));
        assert_eq!(find_manage(["a/b/c/manage.py", "xmanage.py"]), Manage::Nowhere);
        assert!(matches!(find_manage(["a/manage.py", "b/manage.py"]), Manage::Several(_)));
        assert_eq!(folder_of(Some("src/manage.py")), "src");
        assert_eq!(folder_of(Some("manage.py")), "");
    }
}
