//! `[[suite]]`: what users write, and what they are told.

use super::*;

fn message(text: &str) -> String {
    parse(text, FILE).expect_err("it is wrong").to_string()
}

#[test]
fn every_key_of_a_suite_is_read() {
    let text = r#"
        [[suite]]
        name = "site"
        kind = "django"
        path = "site"
        manage = "site/manage.py"
        settings = "config.settings.test"
        labels = ["shop.cart"]
        include = ["*.CartTest"]
        exclude = ["*.SlowTest"]
        tags = ["fast"]
        exclude_tags = ["slow"]
        patterns = ["cart"]
        env = { MODE = "test" }
        [[suite]]
        name = "api"
        kind = "pytest"
        arguments = ["--reuse-db"]
        [[suite]]
        name = "frontend"
        command = "npx jest $TEST"
        list = "ls src"
        junit = ["reports/*.xml", "junit.xml"]
        [[suite]]
        name = "old"
        command = "make test"
        junit = "junit.xml"
    "#;
    insta::assert_debug_snapshot!(parse(text, FILE).unwrap().suite);
}

#[test]
fn what_is_wrong_with_a_suite_is_said_with_its_name() {
    let texts = [
        "[[suite]]\nkind = 'pytest'",
        "[[suite]]\nname = 'a b'",
        "[[suite]]\nname = 'a:b'",
        "[[suite]]\nname = 'a'\n[[suite]]\nname = 'a'",
        "[[suite]]\nname = 'a'\nkind = 'pytset'",
        "[[suite]]\nname = 'a'\nkind = 'command'",
        "[[suite]]\nname = 'a'\ncommand = ' '",
        "[[suite]]\nname = 'a'\nkind = 'pytest'\ncommand = 'make'",
        "[[suite]]\nname = 'a'\njunit = 'junit.xml'",
        "[[suite]]\nname = 'a'\nkind = 'unittest'\nsettings = 'config'",
        "[[suite]]\nname = 'a'\ncommand = 'make'\narguments = ['-x']",
        "[[suite]]\nname = 'a'\npath = '../b'",
        "[[suite]]\nname = 'a'\nenv = { 'A=B' = '1' }",
        "[[suite]]\nname = 'a'\nseting = 'config'",
        "[[suite]]\nname = 'a'\ncommand = 'make'\njunit = 3",
        "[[suite]]\nname = 'a'\ncommand = 'make'\njunit = '../junit.xml'",
        "[[suite]]\nname = 'a'\ncommand = 'make'\njunit = ['a.xml', '/tmp/b.xml']",
        "[[suite]]\nname = 'a'\ncommand = 'make'\njunit = ' '",
        "[[suite]]\nname = 'a'\ntags = ['slow', '']",
        "[[suite]]\nname = ' '",
        "[[suite]]\nname = 'a'\nlabels = [' ']",
    ];
    let messages: Vec<String> = texts.iter().map(|text| message(text)).collect();
    insta::assert_snapshot!(messages.join("\n"));
}
