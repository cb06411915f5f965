//! Registries of images: the repository that a team names, images in it, and what a registry wants
//! to know of whoever asks.

use std::fmt;
use std::str::FromStr;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde::{Deserialize, Serialize};
use tonic::codegen::http::HeaderMap;

use crate::blob::Digest;

/// A repository of a registry, written as `host[:port]/path`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository(String);

/// An image in a repository, by the digest of its manifest: `host[:port]/path@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    repository: Repository,
    digest: Digest,
}

/// Why a text names nothing in a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no repository.
    #[error(
        "{text:?} is no repository, which is HOST/PATH or HOST:PORT/PATH without a tag, such as \
         \"registry.example:5000/team/muletrain\""
    )]
    Repository {
        /// As given.
        text: String,
    },
    /// It is no image by its digest.
    #[error("{text:?} is no image of a registry, which is HOST/PATH@sha256:DIGITS")]
    Reference {
        /// As given.
        text: String,
    },
}

impl Repository {
    /// The host, with its port if that is said.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// An image in it, by its tag.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> String {
        format!("{}:{tag}", self.0)
    }

    /// The first of these names that is an image of this repository by its digest.
    #[must_use]
    pub fn find(&self, names: &[String]) -> Option<Reference> {
        let references = names.iter().filter_map(|name| name.parse().ok());
        references.into_iter().find(|reference: &Reference| reference.repository == *self)
    }
}

impl Reference {
    /// Where it is.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Digest of its manifest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl FromStr for Repository {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Repository { text: text.chars().take(300).collect() };
        let (host, path) = text.split_once('/').ok_or_else(refused)?;
        let part = |part: &str, more: &str| {
            let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            part.starts_with(is_letter) && part.chars().all(|c| is_letter(c) || more.contains(c))
        };
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "1"));
        // Without one of these an engine takes the host for a part of a path at Docker Hub.
        let is_host = host.contains(['.', ':']) || host == "localhost";
        let is_whole = is_host
            && part(&name.to_ascii_lowercase(), ".-")
            && port.parse::<u16>().is_ok()
            && path.split('/').all(|it| part(it, "._-"))
            && text.len() <= 255;
        is_whole.then(|| Self(text.to_owned())).ok_or_else(refused)
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Reference { text: text.chars().take(400).collect() };
        let (repository, digest) = text.split_once('@').ok_or_else(refused)?;
        let repository = repository.parse().map_err(|_| refused())?;
        Ok(Self { repository, digest: digest.parse().map_err(|_| refused())? })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.repository, self.digest)
    }
}

impl TryFrom<String> for Repository {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<String> for Reference {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Repository> for String {
    fn from(repository: Repository) -> Self {
        repository.0
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

/// What a registry is told of whoever asks. It is neither printed nor logged.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A user.
    User {
        /// Their name.
        name: String,
        /// Their password.
        password: String,
    },
    /// A token in place of both.
    Token(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials")
    }
}

impl Credentials {
    /// What `docker login` has kept for a host, in its `config.json` or with a helper that this
    /// names; none where there is nothing. It may take as long as the helper does.
    pub async fn of(host: &str) -> Option<Self> {
        let host = host.to_owned();
        tokio::task::spawn_blocking(move || Self::kept(&host)).await.ok().flatten()
    }

    fn kept(host: &str) -> Option<Self> {
        let found = names(host).into_iter().find_map(|name| {
            match docker_credential::get_credential(&name) {
                Ok(credential) => Some(credential),
                Err(
                    CredentialRetrievalError::NoCredentialConfigured
                    | CredentialRetrievalError::ConfigNotFound
                    | CredentialRetrievalError::ConfigReadError,
                ) => None,
                Err(error) => {
                    // What the helper has said may hold a secret.
                    let why = match error {
                        CredentialRetrievalError::HelperFailure { helper, .. } => {
                            format!("{helper} failed")
                        }
                        error => error.to_string(),
                    };
                    tracing::warn!(host, why, "failed to read what docker login has kept");
                    None
                }
            }
        });
        Some(match found? {
            DockerCredential::IdentityToken(token) => Self::Token(token),
            DockerCredential::UsernamePassword(name, password) => Self::User { name, password },
        })
    }
}

/// The header in which an engine is told who asks.
const HEADER: &str = "x-registry-auth";

/// Puts the credentials of a request to an engine into the alphabet that engines read. Clients
/// write them in the usual one, and whom an engine cannot read it takes for nobody.
pub fn make_readable(headers: &mut HeaderMap) {
    if let Some(value) = headers.get_mut(HEADER)
        && let Some(readable) = value.to_str().ok().and_then(|it| for_addresses(it).parse().ok())
    {
        *value = readable;
    }
}

/// Base64 in the alphabet for addresses, made of what is in the usual one.
fn for_addresses(base64: &str) -> String {
    base64.replace('+', "-").replace('/', "_")
}

/// What `docker login` may call a host.
fn names(host: &str) -> Vec<String> {
    match host {
        "docker.io" | "index.docker.io" => vec!["https://index.docker.io/v1/".to_owned()],
        host => vec![host.to_owned(), format!("https://{host}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_names_its_host() {
        for (text, host) in [
            ("registry.example:5000/team/muletrain", "registry.example:5000"),
            ("localhost/a", "localhost"),
            ("127.0.0.1:5000/a_b/c.d-e", "127.0.0.1:5000"),
        ] {
            let repository: Repository = text.parse().unwrap();
            assert_eq!((repository.host(), repository.to_string().as_str()), (host, text));
        }
    }

    #[test]
    fn nothing_else_is_a_repository() {
        let long = format!("registry.example/{}", "a".repeat(300));
        for text in [
            "",
            "python",
            "team/muletrain",
            "registry.example",
            "registry.example/",
            "registry.example/a:tag",
            "registry.example/a@sha256:00",
            "registry.example/../a",
            "registry.example/A",
            "registry.example:port/a",
            "-x.example/a",
            "https://registry.example/a",
            "registry.example/a?b=c",
            &long,
        ] {
            assert!(text.parse::<Repository>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_reference_of_a_repository_is_found_among_others() {
        let digest = Digest::of(b"manifest");
        let names = [
            format!("registry.example/other@{digest}"),
            format!("registry.example/team@{digest}"),
            "registry.example/team:tag".to_owned(),
        ];
        let team: Repository = "registry.example/team".parse().unwrap();
        let found = team.find(&names).unwrap();
        assert_eq!(found.to_string(), names[1]);
        assert_eq!((found.repository(), found.digest()), (&team, digest));
        assert_eq!(team.find(&names[..1]), None);
    }

    #[test]
    fn two_characters_differ_in_the_alphabet_for_addresses() {
        assert_eq!(for_addresses("Pj4+Pz8/Zg=="), "Pj4-Pz8_Zg==");
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, "Pj4+Pz8/Zg==".parse().unwrap());
        headers.insert("other", "a+b".parse().unwrap());
        make_readable(&mut headers);
        assert_eq!(headers[HEADER], "Pj4-Pz8_Zg==");
        assert_eq!(headers["other"], "a+b");
    }

    #[test]
    fn credentials_are_not_in_debug_output() {
        let credentials =
            Credentials::User { name: "reader".to_owned(), password: "hidden".to_owned() };
        assert_eq!(format!("{credentials:?}"), "Credentials");
    }
}
