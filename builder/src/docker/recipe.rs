//! What installing in an image gets: commands, environment, certificate authorities.

use std::path::{Path, PathBuf};

use super::Error;
use super::container::BUNDLE;

/// Variables of this host that tell installers how to reach what they install.
const REACH: [&str; 16] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
];

/// Variables that name a file of certificate authorities.
const TRUST: [&str; 6] = [
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
];

/// Settings of installers that keep their traces out of the image.
const TIDY: [&str; 4] = [
    "PIP_NO_CACHE_DIR=1",
    "PIP_DISABLE_PIP_VERSION_CHECK=1",
    "PIP_ROOT_USER_ACTION=ignore",
    "DEBIAN_FRONTEND=noninteractive",
];

/// Largest bundle accepted: some twenty times what a system trusts.
const BUNDLE_LIMIT: u64 = 4 << 20;

/// The environment of installing commands, and of them alone.
pub(super) fn environment(bundle: Option<&Path>) -> Vec<String> {
    let tidy = TIDY.into_iter().map(str::to_owned);
    let trust = TRUST.into_iter().filter(|_| bundle.is_some());
    tidy.chain(trust.map(|name| format!("{name}={BUNDLE}")))
        .chain(reach().into_iter().map(|(name, value)| format!("{name}={value}")))
        .collect()
}

/// Proxies and indexes that this host is set up for.
pub(super) fn reach() -> Vec<(&'static str, String)> {
    REACH.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?))).collect()
}

/// The shell command that installs Debian packages.
pub(super) fn packages(names: &[String], bundle: Option<&Path>) -> Option<String> {
    let names = shlex::try_join(names.iter().map(String::as_str)).ok()?;
    let trust = bundle.map(|_| format!(" -o Acquire::https::CaInfo={BUNDLE}")).unwrap_or_default();
    (!names.is_empty()).then(|| {
        format!(
            "apt-get{trust} update -qq && apt-get{trust} install -y -qq --no-install-recommends \
             {names} && rm -rf /var/lib/apt/lists/*"
        )
    })
}

/// The configured bundle, if it is one: the configuration comes with the branch, and must not be
/// a way to show any other file, folder or socket of this host to a container.
pub(super) fn bundle(configured: Option<&str>) -> Result<Option<PathBuf>, Error> {
    let Some(path) = configured.map(Path::new) else { return Ok(None) };
    let wrong = |why: &str| Error::Bundle { path: path.to_owned(), why: why.to_owned() };
    let real = path.canonicalize().map_err(|error| wrong(&error.to_string()))?;
    let metadata = real.metadata().map_err(|error| wrong(&error.to_string()))?;
    if !metadata.is_file() || metadata.len() > BUNDLE_LIMIT {
        return Err(wrong("not a file of certificates"));
    }
    let text = std::fs::read(&real).map_err(|error| wrong(&error.to_string()))?;
    match is_bundle(&text) {
        true => Ok(Some(real)),
        false => Err(wrong("not a file of certificates alone")),
    }
}

/// Whether a text holds certificates in PEM form and nothing secret.
fn is_bundle(text: &[u8]) -> bool {
    let has = |words: &[u8]| text.windows(words.len()).any(|window| window == words);
    has(b"-----BEGIN CERTIFICATE-----") && !has(b"PRIVATE KEY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_can_be_shown_to_a_container() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name).to_string_lossy().into_owned()
        };
        let certificates = write("a", "-----BEGIN CERTIFICATE-----\nx\n");
        let key = write("b", "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n");
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("s")).unwrap();
        let socket = folder.path().join("s").to_string_lossy().into_owned();

        assert!(bundle(Some(&certificates)).unwrap().is_some());
        for path in [&key, &socket, "/", "/etc/passwd", "/no/such/file", "/dev/zero"] {
            assert!(bundle(Some(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn packages_are_words_of_one_command() {
        let names = ["libpq5".to_owned(), "gettext;reboot".to_owned()];
        insta::assert_snapshot!(packages(&names, None).unwrap(), @"apt-get update -qq && apt-get install -y -qq --no-install-recommends libpq5 'gettext;reboot' && rm -rf /var/lib/apt/lists/*");
        assert_eq!(packages(&[], None), None);
    }
}
