//! A Docker Engine that has images and takes images, and nothing else.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

use muletrain_proto::docker_host::Endpoint;
use serde_json::{Value, json};
use tempfile::TempDir;

/// An engine on a socket, as long as this is kept.
pub struct FakeEngine {
    pub state: Arc<Mutex<State>>,
    folder: TempDir,
}

/// What it has and wants.
#[derive(Default)]
pub struct State {
    /// Layers of its images, by their ids.
    pub images: BTreeMap<String, Vec<String>>,
    /// What an archive has to hold so that the engine takes it.
    pub wants: Vec<Vec<u8>>,
    /// The image it has once it has taken one.
    pub gives: Option<(String, Vec<String>)>,
    /// Archives that were sent to it.
    pub loads: Vec<Vec<u8>>,
    /// Images of a registry and their layers, by what they are called there.
    pub registry: BTreeMap<String, (String, Vec<String>)>,
    /// What it was told to pull.
    pub pulls: Vec<String>,
    /// What it was told to remove.
    pub removed: Vec<String>,
}

impl FakeEngine {
    pub fn start(state: State) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // Whoever hangs up early has no use for an answer.
                std::thread::spawn(move || answer(&stream, &shared).ok());
            }
        });
        Self { state, folder }
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(self.folder.path().join("docker.sock"))
    }
}

fn answer(mut stream: &UnixStream, state: &Mutex<State>) -> std::io::Result<()> {
    let (request, body) = read(&mut BufReader::new(stream))?;
    let (path, query) = request.split_once('?').unwrap_or((&request, ""));
    let (status, reply) = state.lock().unwrap().answer(path, query, body);
    let text = reply.to_string();
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{text}"
    )
}

/// Method, path, query and body of a request.
fn read(reader: &mut impl BufRead) -> std::io::Result<(String, Vec<u8>)> {
    let (mut path, mut chunked) = (String::new(), false);
    for line in reader.by_ref().lines() {
        let line = line?;
        match line.rsplit_once(' ').filter(|_| path.is_empty()) {
            Some((found, _)) => path = found.to_owned(),
            None if line.is_empty() => break,
            None => chunked |= line.eq_ignore_ascii_case("transfer-encoding: chunked"),
        }
    }
    let mut body = vec![];
    while chunked {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk)?;
        body.extend(&chunk[..length]);
        chunked = length > 0;
    }
    Ok((path, body))
}

impl State {
    fn answer(&mut self, path: &str, query: &str, body: Vec<u8>) -> (u16, Value) {
        let is_removal = path.starts_with("DELETE ");
        let path = path.split_once("/images/").map_or(path, |(_, rest)| rest);
        match path.strip_suffix("/json") {
            _ if path.ends_with("/version") => {
                (200, json!({"ApiVersion": "1.41", "Version": "0", "Os": "linux", "Arch": "amd64"}))
            }
            _ if path.ends_with("/info") => (200, json!({})),
            _ if path == "json" => (200, self.list()),
            _ if path == "load" => (200, self.load(body)),
            _ if path == "create" => self.pull(query),
            _ if path.ends_with("/tag") => (201, json!(null)),
            _ if is_removal => {
                self.removed.push(path.to_owned());
                (200, json!([]))
            }
            Some(name) => match self.find(name) {
                Some((image, layers)) => (
                    200,
                    json!({"Id": image, "Os": "linux", "Architecture": "amd64",
                           "RootFS": {"Type": "layers", "Layers": layers}}),
                ),
                None => (404, json!({"message": "no such image"})),
            },
            None => (500, json!({"message": "this engine runs nothing"})),
        }
    }

    /// An image by its id, or by what the registry that it came from calls it.
    fn find(&self, name: &str) -> Option<(&str, &Vec<String>)> {
        let pulled = self.registry.get(name).filter(|_| self.pulls.iter().any(|it| it == name));
        let id = pulled.map_or(name, |(id, _)| id);
        self.images.get_key_value(id).map(|(id, layers)| (id.as_str(), layers))
    }

    fn pull(&mut self, query: &str) -> (u16, Value) {
        let name = query.split('&').find_map(|part| part.strip_prefix("fromImage="));
        let name = name.unwrap_or_default();
        let name = name.replace("%3A", ":").replace("%2F", "/").replace("%40", "@");
        let given = self.registry.get(&name).cloned();
        self.pulls.push(name);
        match given {
            Some((id, layers)) => {
                self.images.insert(id, layers);
                (200, json!({"status": "Pulled"}))
            }
            None => (500, json!({"message": "connection refused"})),
        }
    }

    fn list(&self) -> Value {
        let image = |id: &String| {
            json!({"Id": id, "ParentId": "", "RepoTags": [], "RepoDigests": [], "Created": 1,
                   "Size": 0, "SharedSize": 0, "Labels": {}, "Containers": 0})
        };
        self.images.keys().map(image).collect()
    }

    fn load(&mut self, archive: Vec<u8>) -> Value {
        let holds =
            |part: &Vec<u8>| archive.windows(part.len()).any(|window| window == part.as_slice());
        let takes = self.wants.iter().all(holds);
        self.loads.push(archive);
        if !takes {
            let why = "open layer.tar: no such file or directory";
            return json!({"error": why, "errorDetail": {"message": why}});
        }
        self.images.extend(self.gives.clone());
        json!({"stream": "Loaded"})
    }
}
