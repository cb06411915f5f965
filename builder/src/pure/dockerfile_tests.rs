//! Dockerfiles in the ways that projects write them: what is left of each, and what it reads.

use proptest::prelude::*;

use super::*;

const FILES: [&str; 9] = [
    "Dockerfile",
    "manage.py",
    "requirements.txt",
    "requirements/dev.txt",
    "package.json",
    "shop/models.py",
    "shop/static/a.css",
    "docker/start.sh",
    "docker/data.tar",
];

fn context(links: &[&str]) -> Manifest {
    let file = || Node::File { executable: false, size: 0, digest: String::new() };
    let files = FILES.iter().map(|path| (path.into(), file()));
    let link = |path: &&str| (path.into(), Node::Link { target: "shop".into() });
    Manifest(files.chain(links.iter().map(link)).collect())
}

fn origins() -> BTreeMap<String, Origin> {
    let python = Origin {
        folder: String::new(),
        environment: vec!["PATH=/bin".to_owned(), "HOME=/home/app".to_owned()],
        has_triggers: false,
    };
    let node = Origin { folder: "/work".to_owned(), ..Origin::default() };
    let triggers = Origin { has_triggers: true, ..Origin::default() };
    let all = [("python:3.12", python), ("node:22", node), ("python:onbuild", triggers)];
    all.map(|(name, origin)| (name.to_owned(), origin)).into()
}

fn plan_of(text: &str) -> Option<Plan> {
    let arguments = [("HOME_OF_CODE".to_owned(), "/srv".to_owned())].into();
    let build = Build { text, target: None, arguments: &arguments, root: None };
    plan(&build, &context(&[]), &origins())
}

/// What is left of a Dockerfile and what it reads, where the code it places is left out.
fn shown(text: &str) -> String {
    match plan_of(text) {
        None => "all".to_owned(),
        Some(plan) => {
            let files: Vec<String> =
                plan.files.0.keys().map(|path| path.display().to_string()).collect();
            format!("{}reads {}\nroot {}", plan.text, files.join(" "), plan.root)
        }
    }
}

/// Whether the code that a last instruction copies is left out.
fn is_placed(last: &str) -> bool {
    let before = "FROM python:3.12\nWORKDIR /app\n";
    plan_of(&format!("{before}{last}\n")).is_some_and(|plan| plan.text == before)
}

#[test]
fn code_that_is_copied_last_is_left_out() {
    insta::assert_snapshot!(shown("FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n# The code.\nCOPY --chown=app:app . .\nCMD [\"gunicorn\"]\n"), @r#"
    FROM python:3.12
    WORKDIR /app
    COPY requirements.txt .
    RUN pip install -r requirements.txt
    # The code.
    CMD ["gunicorn"]
    reads requirements.txt
    root /app
    "#);
}

#[test]
fn what_stages_before_read_is_kept() {
    insta::assert_snapshot!(shown("ARG VERSION=3.12\nFROM node:22 AS Assets\nCOPY package*.json ./\nRUN npm ci\nCOPY ./shop/static static\nRUN npm run build\nFROM python:$VERSION AS base\nARG HOME_OF_CODE=/app\nENV ROOT=${HOME_OF_CODE}/code\nWORKDIR $ROOT\nCOPY requirements requirements\nRUN pip install -r requirements/dev.txt\nFROM base\nADD . ${ROOT}\nCOPY --from=assets /work/dist ./dist\nCOPY docker/start.sh /start.sh\nCOPY [\"manage.py\", \"./\"]\n"), @r"
    ARG VERSION=3.12
    FROM node:22 AS Assets
    COPY package*.json ./
    RUN npm ci
    COPY ./shop/static static
    RUN npm run build
    FROM python:$VERSION AS base
    ARG HOME_OF_CODE=/app
    ENV ROOT=${HOME_OF_CODE}/code
    WORKDIR $ROOT
    COPY requirements requirements
    RUN pip install -r requirements/dev.txt
    FROM base
    COPY --from=assets /work/dist ./dist
    COPY docker/start.sh /start.sh
    reads docker/start.sh package.json requirements/dev.txt shop/static/a.css
    root /srv/code
    ");
}

#[test]
fn only_what_goes_where_it_goes_anyway_is_left_out() {
    for last in [
        "COPY . .",
        "COPY . /app",
        "COPY ./ /app/",
        "COPY / ./",
        "ADD . .",
        "COPY shop shop",
        "COPY shop/ /app/shop/",
        "COPY manage.py requirements.txt ./",
        "COPY manage.py /app/manage.py",
        "COPY shop/models.py shop/",
        "copy --chown=1:1 --chmod=755 \\\n  . \\\n  .",
        "COPY [\".\", \"/app\"]",
    ] {
        assert!(is_placed(last), "{last}");
    }
    for last in [
        "COPY . /code",
        "COPY . ..",
        "COPY shop .",
        "COPY shop /app",
        "COPY shop/models.py .",
        "COPY manage.py /app",
        "COPY manage.py /usr/local/bin/",
        "COPY *.py .",
        "COPY missing.py .",
        "COPY docker/start.sh /start.sh",
        "COPY . $UNKNOWN",
        "COPY --parents shop/models.py .",
        "COPY --from=node:22 . .",
        "ADD docker/data.tar docker/",
        "ADD https://example.com/manage.py ./",
    ] {
        assert!(!is_placed(last), "{last}");
    }
}

#[test]
fn what_a_later_step_may_read_counts() {
    let first = "FROM python:3.12\nWORKDIR /app\n";
    let reads = |rest: &str| plan_of(&format!("{first}{rest}\n")).map(|plan| plan.files.0.len());
    assert_eq!(reads("COPY . .\nRUN pip install ."), None, "all of it");
    assert_eq!(reads("COPY shop shop\nRUN true"), Some(2));
    assert_eq!(reads("COPY shop shop\nRUN true\nCOPY . ."), Some(2));
    assert_eq!(
        reads("COPY . .\nENV A='b c'\nUSER app\nEXPOSE 80\nVOLUME /data\nCMD true"),
        Some(0)
    );
    assert_eq!(reads("COPY . .\nWORKDIR /app/shop"), None, "the code goes elsewhere");
    assert_eq!(reads("COPY req* .\nRUN true"), Some(2), "whatever the pattern means");
    assert_eq!(reads("COPY . /context\nRUN true\nCOPY . ."), None);
}

#[test]
fn code_is_left_out_only_where_later_copies_go_to_the_same_places_without_it() {
    let is_left_out = |later: &str, links: &[&str]| {
        let text = format!("FROM python:3.12\nWORKDIR /app\nCOPY . .\n{later}\n");
        let build = Build { text: &text, target: None, arguments: &BTreeMap::new(), root: None };
        plan(&build, &context(links), &origins()).is_some()
    };
    for later in [
        "COPY --from=node:22 /dist ./dist",
        "COPY --from=node:22 /dist ./shop/",
        "COPY --from=node:22 /dist /opt",
        "COPY docker/start.sh /start.sh",
        "COPY docker/start.sh requirements/start.sh",
        "COPY requirements shop",
    ] {
        assert!(is_left_out(later, &[]), "{later}");
    }
    for later in [
        "COPY --from=node:22 /dist ./shop",
        "COPY --from=node:22 /dist /app",
        "COPY --from=node:22 /dist $UNKNOWN",
        "COPY docker/start.sh shop",
        "COPY docker/start* shop",
        "ADD https://example.com/a shop",
    ] {
        assert!(!is_left_out(later, &[]), "{later}");
    }
    assert!(!is_left_out("COPY --from=node:22 /dist ./link/dist/", &["link"]));
    assert!(!is_left_out("COPY --from=node:22 /dist ./link", &["link"]));
}

#[test]
fn what_is_not_understood_counts_as_reading_all() {
    for text in [
        "FROM unknown:1\nWORKDIR /app\nCOPY . .",
        "FROM python:onbuild\nWORKDIR /app\nCOPY . .",
        "FROM python:3.12\nONBUILD RUN true\nWORKDIR /app\nCOPY . .",
        "FROM python:3.12\nWORKDIR /app\nRUN --mount=type=bind,target=. make\nCOPY . .",
        "FROM python:3.12\nWORKDIR /app\nRUN <<EOF\nmake\nEOF\nCOPY . .",
        "FROM python:3.12\nWORKDIR /app\nCOPY <<EOF /a\nx\nEOF\nCOPY . .",
        "FROM python:3.12\nWORKDIR $UNKNOWN\nCOPY . .",
        "FROM python:3.12\nWORKDIR \"/app\"\nCOPY . .",
        "FROM python:3.12\nENV A='$B'\nWORKDIR /app\nCOPY . .",
        "FROM python:3.12\nWORKDIR /app\nCOPY $A /x\nCOPY . .",
        "# escape=`\nFROM python:3.12\nWORKDIR /app\nCOPY . .",
        "FROM python:3.12 AS a\nWORKDIR /app\nCOPY . .\nFROM a\nRUN true",
        "WORKDIR /app\nCOPY . .",
        "",
    ] {
        assert_eq!(shown(text), "all", "{text}");
    }
    let text = "FROM python:3.12\nWORKDIR /app\nCOPY link/a.css /a\n";
    let build = Build { text, target: None, arguments: &BTreeMap::new(), root: None };
    assert!(plan(&build, &context(&[]), &origins()).is_some());
    assert_eq!(plan(&build, &context(&["link"]), &origins()), None);
}

#[test]
fn the_wanted_stage_is_the_one_that_counts() {
    let text = "FROM python:3.12 AS test\nWORKDIR /app\nCOPY . .\nFROM test\nRUN make\n";
    let build = |target, root| {
        let build = Build { text, target, arguments: &BTreeMap::new(), root };
        plan(&build, &context(&[]), &origins()).map(|plan| plan.root)
    };
    assert_eq!(build(Some("TEST"), None).as_deref(), Some("/app"));
    assert_eq!(build(Some("0"), Some("/app/")).as_deref(), Some("/app"));
    assert_eq!(build(Some("test"), Some("/code")), None);
    assert_eq!(build(None, None), None);
    assert_eq!(build(Some("missing"), None), None);
}

#[test]
fn images_are_those_that_are_neither_stages_nor_unknown() {
    let text = "# FROM comment\nARG TAG=3\nARG NONE\nFROM --platform=linux/amd64 python:3.12 AS Base\n\
                RUN echo FROM nothing\nFROM base AS test\nfrom \\\n  debian:12\nFROM scratch\n\
                COPY --from=base /a /a\nCOPY --from=0 /a /a\nCOPY --from=tools:1 /a /a\n\
                FROM python:$TAG\nFROM python:${TAG:-2}-slim\nFROM python:$NONE\n";
    let build = Build { text, target: None, arguments: &BTreeMap::new(), root: None };
    let names: Vec<String> = images(&build).into_iter().collect();
    assert_eq!(names, ["debian:12", "python:3", "python:3-slim", "python:3.12", "tools:1"]);
    let names: Vec<String> = images(&Build { target: Some("test"), ..build }).into_iter().collect();
    assert_eq!(names, ["python:3.12"]);
}

#[test]
fn the_lines_that_make_every_change_build_again_are_known() {
    let text = "FROM python:3.12\nWORKDIR /app\nRUN true\nCOPY . .\nUSER app\nRUN make\n";
    let build = Build { text, target: None, arguments: &BTreeMap::new(), root: None };
    assert_eq!(runs_after_copy(&build, &origins()), Some((4, 6)));
    let text = text.replace("RUN make", "CMD make");
    assert_eq!(runs_after_copy(&Build { text: &text, ..build }, &origins()), None);
}

proptest! {
    #[test]
    fn no_dockerfile_makes_it_panic(
        lines in prop::collection::vec(
            "(FROM|COPY|ADD|RUN|ENV|ARG|WORKDIR|CMD) [-a-z$.{}/=\"'\\\\ \\[\\]<,*é]{0,20}", 0..8,
        ),
    ) {
        let text = format!("FROM python:3.12\n{}", lines.join("\n"));
        let build = Build { text: &text, target: None, arguments: &BTreeMap::new(), root: None };
        let _ = (images(&build), runs_after_copy(&build, &origins()));
        if let Some(plan) = plan(&build, &context(&[]), &origins()) {
            prop_assert!(plan.text.len() <= text.len());
        }
    }
}
