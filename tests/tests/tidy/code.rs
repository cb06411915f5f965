//! Rules about what code names. Comments and string literals are no code.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::repository::File;
use crate::{Violation, accepts, catches, holds};

/// An identifier or a punctuation mark, with the line it is on.
pub(crate) struct Word {
    pub(crate) text: String,
    line: usize,
}

/// The code of a file as a flat list: brackets are left out, so `#[ignore]` is `# ignore`.
///
/// `use std::{fs, io}` is spelled out as `std::fs` and `std::io`.
pub(crate) fn words(file: &File) -> Vec<Word> {
    let mut words = vec![];
    flatten(parse(file), &[], &mut words);
    words
}

fn parse(file: &File) -> TokenStream {
    match file.text.parse() {
        Ok(stream) => stream,
        Err(error) => panic!("{} is no Rust: {error}", file.path),
    }
}

fn flatten(stream: TokenStream, path: &[String], words: &mut Vec<Word>) {
    let mut start = words.len();
    let mut fresh = true;
    for token in stream {
        let line = token.span().start().line;
        if std::mem::take(&mut fresh) {
            words.extend(path.iter().map(|text| Word { text: text.clone(), line }));
        }
        match token {
            TokenTree::Ident(name) => words.push(Word { text: name.to_string(), line }),
            TokenTree::Literal(_) => words.push(Word { text: "\"\"".to_owned(), line }),
            TokenTree::Punct(mark) => {
                words.push(Word { text: mark.as_char().to_string(), line });
                if mark.as_char() == ',' {
                    (start, fresh) = (words.len(), true);
                }
            }
            TokenTree::Group(group) => {
                let path = match group.delimiter() {
                    Delimiter::Brace => path_before(&words[start..]),
                    _ => vec![],
                };
                flatten(group.stream(), &path, words);
                words.push(Word { text: ";".to_owned(), line });
                start = words.len();
            }
        }
    }
}

/// The path that a brace follows directly, as in `use a::b::{`.
fn path_before(words: &[Word]) -> Vec<String> {
    let is_path = |word: &&Word| {
        word.text == ":"
            || word.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    };
    let texts = words.iter().rev().take_while(is_path).map(|word| word.text.clone());
    let mut path: Vec<String> = texts.take_while(|text| text != "use").collect();
    match path.first().is_some_and(|last| last == ":") {
        true => {
            path.reverse();
            path
        }
        false => vec![],
    }
}

/// The line on which code holds these words in this order.
pub(crate) fn contains(words: &[Word], wanted: &str) -> Option<usize> {
    let stream: TokenStream = wanted.parse().expect("what is looked for is code");
    let mut texts = vec![];
    flatten(stream, &[], &mut texts);
    let same =
        |window: &&[Word]| window.iter().zip(&texts).all(|(one, other)| one.text == other.text);
    words.windows(texts.len()).find(same).map(|window| window[0].line)
}

/// What decisions must not know: waiting, input and output, the clock, chance.
const IMPURE: [&str; 25] = [
    "async",
    ".await",
    "tokio",
    "futures_util",
    "bollard",
    "tonic",
    "rusqlite",
    "rustix",
    "std::fs",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "ToSocketAddrs",
    "std::process",
    "std::env",
    "std::thread",
    "std::io",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "rand",
    "fastrand",
    "RandomState",
    "println",
    "eprintln",
];

fn purity(file: &File) -> Vec<Violation> {
    if !(file.is_rust() && file.path.contains("/src/pure/")) {
        return vec![];
    }
    // A test has to take the moments it passes in from somewhere, and this is all that makes one.
    let makes_moments = file.path.ends_with("_tests.rs");
    let impure = IMPURE.into_iter().filter(|word| !(makes_moments && *word == "Instant::now"));
    named(file, &impure.collect::<Vec<_>>(), "and decisions are pure")
}

fn named(file: &File, wanted: &[&str], why: &str) -> Vec<Violation> {
    let words = words(file);
    let found = wanted.iter().filter_map(|wanted| Some((contains(&words, wanted)?, wanted)));
    found
        .map(|(line, wanted)| Violation::at(file, line, format!("names `{wanted}`, {why}")))
        .collect()
}

#[test]
fn decisions_are_pure() {
    for code in [
        "async fn decide() {}",
        "fn f() { g().await }",
        "use std::fs;",
        "use std::{fmt, env};",
        "use std::net::{IpAddr, TcpStream};",
        "use std::{collections::{BTreeMap, BTreeSet}, process::Command};",
        "fn f() { std::thread::spawn(g); }",
        "use std::{time::Instant}; fn now() -> Instant { Instant::now() }",
        "fn f() { println!(\"{}\", 1); }",
        "fn f() -> u8 { rand::random() }",
        "fn f() { probe!(tokio::spawn(g)) }",
    ] {
        catches(purity, "scheduler/src/pure/decide.rs", code);
        accepts(purity, "scheduler/src/engine.rs", code);
    }
    let moment = "fn now() -> Instant { Instant::now() }";
    accepts(purity, "agent/src/pure/slots_tests.rs", moment);
    catches(purity, "agent/src/pure/slots_tests.rs", "use std::fs;");
    accepts(
        purity,
        "scheduler/src/pure/decide.rs",
        "//! No tokio here.\nuse std::fmt;\nuse std::net::IpAddr;\n/* std::fs */ fn f(env: &str) -> String { g(\"std::env\", process, random) }",
    );
    holds(purity);
}

/// A test that waits for a fixed time is slow or flaky, and mostly both. Between two looks at
/// something that will come true it may sleep: in a `while` or a `loop`.
fn sleeps(file: &File) -> Vec<Violation> {
    let mut lines = vec![];
    if file.is_rust() {
        find_sleeps(parse(&test_code(file)), false, &mut lines);
    }
    let problem = "sleeps; poll with a deadline, or pass the clock in";
    lines.into_iter().map(|line| Violation::at(file, line, problem)).collect()
}

fn find_sleeps(stream: TokenStream, polling: bool, lines: &mut Vec<usize>) {
    let mut tokens = stream.into_iter().peekable();
    let mut loop_follows = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) if name == "while" || name == "loop" => loop_follows = true,
            TokenTree::Ident(name) if (name == "sleep" || name == "sleep_until") && !polling => {
                let next = tokens.peek();
                if matches!(next, Some(TokenTree::Group(it)) if it.delimiter() == Delimiter::Parenthesis)
                {
                    lines.push(name.span().start().line);
                }
            }
            TokenTree::Group(group) => {
                let body = loop_follows && group.delimiter() == Delimiter::Brace;
                find_sleeps(group.stream(), polling || body, lines);
                loop_follows &= !body;
            }
            _ => {}
        }
    }
}

/// What of a file is test code: all of it, or what stands in and after its `mod tests {`.
fn test_code(file: &File) -> File {
    let is_test = file.top() == Some("tests")
        || file.path.contains("/tests/")
        || file.name().ends_with("tests.rs");
    let start = match is_test {
        true => 0,
        false => file.text.find("#[cfg(test)]\nmod tests {").unwrap_or(file.text.len()),
    };
    let blank = "\n".repeat(file.text[..start].matches('\n').count());
    File::new(&file.path, &(blank + &file.text[start..]))
}

#[test]
fn no_test_sleeps() {
    let code = "use std::thread;\nfn f() { thread::sleep(SECOND); }\n";
    catches(sleeps, "tests/src/lib.rs", code);
    catches(sleeps, "tests/tests/flow/main.rs", code);
    catches(sleeps, "proto/src/journal/tests.rs", code);
    catches(
        sleeps,
        "agent/src/link.rs",
        "#[cfg(test)]\nmod tests {\n    fn f() { tokio::time::sleep(D) }\n}\n",
    );
    accepts(
        sleeps,
        "tests/src/lib.rs",
        "use std::thread::sleep;\nfn f() { while !check() { assert!(early()); sleep(BLINK); } }\n",
    );
    catches(sleeps, "tests/src/lib.rs", "fn f() { while g() {} h(|| sleep(SECOND)); }\n");
    accepts(
        sleeps,
        "agent/src/link.rs",
        "fn retry() { tokio::time::sleep(D) }\n#[cfg(test)]\nmod tests {}\n",
    );
    holds(sleeps);
}

fn unfinished(file: &File) -> Vec<Violation> {
    let marks = ["# ignore", "todo!", "unimplemented!", "dbg!"];
    match file.is_rust() {
        true => named(file, &marks, "which is left to do"),
        false => vec![],
    }
}

#[test]
fn no_test_is_skipped_and_no_code_is_missing() {
    catches(unfinished, "tests/tests/flow/main.rs", "#[test]\n#[ignore]\nfn f() {}");
    catches(unfinished, "tests/tests/flow/main.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}");
    catches(unfinished, "agent/src/link.rs", "fn f() { todo!() }");
    catches(unfinished, "agent/src/link.rs", "fn f() { unimplemented!(\"later\") }");
    accepts(
        unfinished,
        "agent/src/link.rs",
        "use ignore::Walk;\n// todo!\nfn f() { g(\"todo!\") }",
    );
    holds(unfinished);
}
