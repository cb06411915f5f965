//! What an `apps.py` says in plain text of the app it configures.

/// The `name` and `label` of an app, as far as they are written out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct AppConfig {
    /// Dotted name of the app's package.
    pub name: Option<String>,
    /// The app's label.
    pub label: Option<String>,
    default: bool,
}

/// Reads the configuration that Django would choose: the only one, or the one marked default.
pub(super) fn read(text: &str) -> AppConfig {
    let mut configs: Vec<AppConfig> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let statement = line.split('#').next().unwrap_or_default().trim_end();
        if statement.is_empty() {
            continue;
        }
        if !statement.starts_with([' ', '\t']) {
            inside = statement.starts_with("class ") && statement.contains("Config");
            if inside {
                configs.push(AppConfig::default());
            }
        } else if let Some(config) = configs.last_mut().filter(|_| inside) {
            assign(config, statement.trim_start());
        }
    }
    let chosen = match configs.iter().position(|config| config.default) {
        Some(index) => Some(index),
        None => (configs.len() == 1).then_some(0),
    };
    chosen.map(|index| configs.swap_remove(index)).unwrap_or_default()
}

fn assign(config: &mut AppConfig, statement: &str) {
    let Some((target, value)) = statement.split_once('=') else { return };
    let value = value.trim();
    // `name: str = "…"` is an assignment too.
    match target.split(':').next().unwrap_or_default().trim() {
        "name" if config.name.is_none() => config.name = literal(value),
        "label" if config.label.is_none() => config.label = literal(value),
        "default" => config.default = value == "True",
        _ => {}
    }
}

/// The text of a plain string literal that is a dotted name.
fn literal(value: &str) -> Option<String> {
    let quote = value.chars().next().filter(|quote| "'\"".contains(*quote))?;
    let text = value.strip_prefix(quote)?.strip_suffix(quote)?;
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    (!text.is_empty() && text.chars().all(word)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Option<String>, Option<String>) {
        let config = read(text);
        (config.name, config.label)
    }

    fn some(name: &str, label: &str) -> (Option<String>, Option<String>) {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (given(name), given(label))
    }

    #[test]
    fn the_only_configuration_counts() {
        let text = "from django.apps import AppConfig\n\nclass ShopConfig(AppConfig):\n    \
                    name = 'apps.shop'  # here\n    label = \"store\"\n\n    def ready(self):\n        \
                    other = 1\n\nname = 'outside'\n";
        assert_eq!(names(text), some("apps.shop", "store"));
    }

    #[test]
    fn of_several_the_default_counts() {
        let text = "class A(AppConfig):\n  name = 'a'\n\nclass B(AppConfig):\n  name = 'b'\n";
        assert_eq!(names(text), some("", ""));
        assert_eq!(names(&format!("{text}  default = True\n")), some("b", ""));
    }

    #[test]
    fn what_is_no_plain_string_is_not_guessed() {
        assert_eq!(
            names("class A(AppConfig):\n  name = f'{x}.a'\n  label = LABEL\n"),
            some("", "")
        );
        assert_eq!(names("class A(AppConfig):\n  name = __name__\n"), some("", ""));
    }
}
