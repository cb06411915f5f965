//! Which layers of an image an engine has already.

use muletrain_proto::blob::Digest;

/// How many of the lowest layers wanted are the lowest layers of another image too.
#[must_use]
pub fn shared(wanted: &[Digest], other: &[String]) -> usize {
    let same = |(digest, text): &(&Digest, &String)| text.parse().ok() == Some(**digest);
    wanted.iter().zip(other).take_while(same).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_layers_from_the_lowest_on_are_shared() {
        let [a, b, c] = ["a", "b", "c"].map(|name| Digest::of(name.as_bytes()));
        let count = |other: &[Digest]| {
            let other: Vec<String> = other.iter().map(Digest::to_string).collect();
            shared(&[a, b, c], &other)
        };
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[b, c]), 0);
        assert_eq!(count(&[a, c]), 1);
        assert_eq!(count(&[a, b]), 2);
        assert_eq!(count(&[a, b, c, a]), 3);
        assert_eq!(shared(&[a], &["noise".to_owned()]), 0);
    }
}
