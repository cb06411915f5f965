//! The images that a Dockerfile starts from.

use std::collections::BTreeSet;

/// The images that `FROM` lines name, without stages, `scratch` and what an argument decides.
#[must_use]
pub fn images(dockerfile: &str) -> BTreeSet<String> {
    let (mut images, mut stages) = (BTreeSet::new(), BTreeSet::new());
    let joined = dockerfile.replace("\\\r\n", " ").replace("\\\n", " ");
    for line in joined.lines() {
        let mut words = line.split_whitespace();
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("FROM")) {
            continue;
        }
        let mut words = words.skip_while(|word| word.starts_with("--"));
        let Some(image) = words.next() else { continue };
        let is_stage = stages.contains(&image.to_ascii_lowercase());
        if !is_stage && !image.contains('$') && image != "scratch" {
            images.insert(image.to_owned());
        }
        // `AS name`.
        stages.extend(words.nth(1).map(str::to_ascii_lowercase));
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_those_that_are_neither_stages_nor_arguments() {
        let text = "# FROM comment\nARG TAG=3\nFROM --platform=linux/amd64 python:3.12 AS Base\n\
                    RUN echo FROM nothing\nFROM base AS test\nfrom \\\n  debian:12\nFROM scratch\n\
                    FROM python:$TAG\nFROM\n";
        let images: Vec<String> = images(text).into_iter().collect();
        assert_eq!(images, ["debian:12", "python:3.12"]);
    }
}
