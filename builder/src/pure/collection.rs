//! Which of the things a builder made may go, so that the rest fits into what may be kept.

use std::time::{Duration, SystemTime};

/// Something that a builder made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What removes it.
    pub handle: Handle,
    /// Its name, for people.
    pub name: String,
    /// Bytes of it and of all that it is made on.
    pub size: u64,
    /// Digests of its layers, the lowest first; empty for what shares nothing.
    pub layers: Vec<String>,
    /// When it was last used.
    pub used: SystemTime,
    /// Whether something uses it at this moment.
    pub in_use: bool,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Handle {
    /// An image, by its id.
    Image(String),
    /// A folder of the cache.
    Folder(std::path::PathBuf),
}

/// What may stay.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that all of it may have.
    pub keep: u64,
    /// What was used within this time stays, whatever it takes: a run may be about to use it.
    pub recent: Duration,
    /// The time it is.
    pub now: SystemTime,
}

/// An item and the bytes that only go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sized {
    /// The item.
    pub item: Item,
    /// Bytes it has beyond what it shares with the others.
    pub own: u64,
}

/// What is to be kept and what is to go, the latter in an order in which it can.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What stays.
    pub keep: Vec<Sized>,
    /// What goes.
    pub remove: Vec<Sized>,
}

impl Plan {
    /// Keeps what was used last, as far as it fits, and what is in use. `foreign` are images that
    /// are not the builder's, by their layers and sizes: what they have is not counted.
    #[must_use]
    pub fn new(mut items: Vec<Item>, foreign: &[(Vec<String>, u64)], limits: Limits) -> Self {
        inherit_use(&mut items);
        let sizes = items.iter().map(|item| own_size(item, &items, foreign)).collect::<Vec<_>>();
        let sized = items.into_iter().zip(sizes);
        let mut sized: Vec<Sized> = sized.map(|(item, own)| Sized { item, own }).collect();
        let stays = |item: &Item| item.in_use || limits.is_recent(item.used);
        // What another one is made on comes before it, so that it is kept first and goes last.
        sized.sort_by_key(|it| {
            let last_used_first = std::cmp::Reverse((stays(&it.item), it.item.used));
            (last_used_first, it.item.layers.len(), it.item.handle.clone())
        });
        let (mut plan, mut bytes) = (Self::default(), 0_u64);
        for it in sized {
            bytes = bytes.saturating_add(it.own);
            match stays(&it.item) || bytes <= limits.keep {
                true => plan.keep.push(it),
                false => plan.remove.push(it),
            }
        }
        plan.remove.reverse();
        plan
    }
}

impl Limits {
    fn is_recent(&self, used: SystemTime) -> bool {
        used.checked_add(self.recent).is_none_or(|until| until > self.now)
    }
}

/// What others are made on is used when they are.
fn inherit_use(items: &mut [Item]) {
    let uses: Vec<_> =
        items.iter().map(|item| (item.layers.clone(), item.used, item.in_use)).collect();
    for item in items {
        for (layers, used, in_use) in &uses {
            if is_made_on(layers, &item.layers) {
                item.used = item.used.max(*used);
                item.in_use |= in_use;
            }
        }
    }
}

/// Bytes of an item beyond those of the largest image it is made on.
fn own_size(item: &Item, items: &[Item], foreign: &[(Vec<String>, u64)]) -> u64 {
    let ours = items.iter().map(|other| (&other.layers, other.size));
    let others = ours.chain(foreign.iter().map(|(layers, size)| (layers, *size)));
    let below = others.filter(|(layers, _)| is_made_on(&item.layers, layers));
    item.size.saturating_sub(below.map(|(_, size)| size).max().unwrap_or_default())
}

/// Whether layers are others and more on them.
fn is_made_on(layers: &[String], lower: &[String]) -> bool {
    !lower.is_empty() && layers.len() > lower.len() && layers.starts_with(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn image(name: &str, layers: &str, size: u64, used: u64) -> Item {
        Item {
            handle: Handle::Image(name.to_owned()),
            name: name.to_owned(),
            size,
            layers: layers.chars().map(String::from).collect(),
            used: at(used),
            in_use: false,
        }
    }

    fn limits(keep: u64) -> Limits {
        Limits { keep, recent: Duration::from_secs(10), now: at(1000) }
    }

    fn removed(items: Vec<Item>, keep: u64) -> Vec<String> {
        let foreign = [(vec!["p".to_owned()], 100)];
        let plan = Plan::new(items, &foreign, limits(keep));
        plan.remove.into_iter().map(|it| it.item.name).collect()
    }

    fn images() -> Vec<Item> {
        vec![
            image("base", "pb", 150, 1),
            image("anchor", "pba", 160, 2),
            image("old", "pbax", 161, 3),
            image("new", "pbay", 162, 4),
            image("other", "pc", 130, 5),
        ]
    }

    #[test]
    fn what_was_used_last_stays_and_with_it_what_it_is_made_on() {
        assert_eq!(removed(images(), 93), Vec::<String>::new());
        assert_eq!(removed(images(), 92), ["old"]);
        assert_eq!(removed(images(), 91), ["old", "new"]);
        assert_eq!(removed(images(), 30), ["old", "new", "anchor", "base"]);
        assert_eq!(removed(images(), 29), ["old", "new", "anchor", "base", "other"]);
    }

    #[test]
    fn what_is_in_use_stays_whatever_it_takes() {
        let mut items = images();
        items[2].in_use = true;
        assert_eq!(removed(items, 0), ["new", "other"]);
    }

    #[test]
    fn what_was_used_a_moment_ago_stays() {
        let mut items = images();
        items[3].used = at(991);
        assert_eq!(removed(items, 0), ["old", "other"]);
    }

    #[test]
    fn each_byte_is_counted_once() {
        let plan = Plan::new(images(), &[(vec!["p".to_owned()], 100)], limits(u64::MAX));
        let own: u64 = plan.keep.iter().map(|it| it.own).sum();
        assert_eq!(own, 50 + 10 + 1 + 2 + 30);
    }
}
