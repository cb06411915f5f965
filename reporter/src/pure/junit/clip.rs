//! Text of any length in bounded memory: beyond a limit its middle is left out, and that is said.

/// Bytes kept free for the note on what is missing.
const NOTE: usize = 64;

/// A text that grows.
#[derive(Debug)]
pub struct Clip {
    text: String,
    limit: usize,
    omitted: u64,
    /// Bytes of the head, once something was left out.
    head: usize,
}

impl Clip {
    /// An empty text that will have at most `limit` bytes, but always room for the note.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { text: String::new(), limit: limit.max(4 * NOTE), omitted: 0, head: 0 }
    }

    /// Adds text. At most twice the limit and this piece are ever held.
    pub fn push(&mut self, piece: &str) {
        self.text.push_str(piece);
        if self.text.len() > 2 * self.limit {
            self.leave_out();
        }
    }

    /// Adds a character.
    pub fn push_char(&mut self, character: char) {
        self.push(character.encode_utf8(&mut [0; 4]));
    }

    /// Whether there is nothing but white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.omitted == 0 && self.text.trim().is_empty()
    }

    /// The text. What is within the limit is given back as it came, so clipping what was clipped
    /// changes nothing.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.omitted == 0 && self.text.len() <= self.limit {
            return self.text;
        }
        self.leave_out();
        let tail = self.text.split_off(self.head);
        format!("{}\n[{} bytes omitted from the middle]\n{tail}", self.text, self.omitted)
    }

    fn leave_out(&mut self) {
        let half = (self.limit - NOTE) / 2;
        if self.omitted == 0 {
            self.head = boundary_before(&self.text, half);
        }
        let tail = boundary_after(&self.text, self.text.len().saturating_sub(half).max(self.head));
        self.omitted += (tail - self.head) as u64;
        self.text.replace_range(self.head..tail, "");
    }
}

/// A text that is there already, within a limit.
#[must_use]
pub fn clip(text: &str, limit: usize) -> String {
    let mut clip = Clip::new(limit);
    clip.push(text);
    clip.finish()
}

fn boundary_before(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn boundary_after(text: &str, index: usize) -> usize {
    (index..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_ends_and_says_what_is_missing() {
        let text = format!("head {} tail", "ä".repeat(10_000));
        let kept = clip(&text, 1000);
        assert!(kept.starts_with("head ä") && kept.ends_with("ä tail"), "{kept}");
        assert!(kept.len() <= 1000);
        let number = kept.split(['[', ' ']).find_map(|word| word.parse::<usize>().ok()).unwrap();
        let note = format!("\n[{number} bytes omitted from the middle]\n");
        assert_eq!(kept.len() - note.len() + number, text.len());
    }

    proptest::proptest! {
        #[test]
        fn clipping_again_changes_nothing(pieces in proptest::collection::vec("\\PC{0,200}", 0..40), limit in 256..900_usize) {
            let mut one = Clip::new(limit);
            pieces.iter().for_each(|piece| one.push(piece));
            let once = one.finish();
            proptest::prop_assert!(once.len() <= limit);
            proptest::prop_assert_eq!(clip(&once, limit), once.clone());
            let whole = pieces.concat();
            if whole.len() <= limit {
                proptest::prop_assert_eq!(once, whole);
            }
        }
    }
}
