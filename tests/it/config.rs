//! Settings as a user gives them: files, the environment, options; `taillight config` and `taillight trust`.

use std::fs;
use std::path::Path;
use std::process::Output;

use taillight::config::{Flag, Kind, Project, SECTIONS, SETTINGS, Setting, Settings};

use crate::harness::command;

/// Runs `taillight ARGS` in `folder`, which is its home too.
fn run(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = command(folder);
    command.current_dir(folder).args(args).envs(variables.iter().copied());
    command.output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn home() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join(".config/taillight")).expect("made");
    folder
}

/// Its line of `taillight config`: value and origin.
fn shown(folder: &Path, key: &str, args: &[&str], variables: &[(&str, &str)]) -> (String, String) {
    let output = run(folder, &[&["config"], args].concat(), variables);
    assert_eq!(output.status.code(), Some(0));
    let listing = text(&output.stdout);
    let line = listing.lines().find(|line| line.starts_with(&format!("{key} = "))).expect("its line");
    let (value, origin) = line.split_once("  # ").expect("an origin");
    (value.split_once(" = ").expect("a value").1.trim().to_owned(), origin.to_owned())
}

#[test]
fn later_places_win_over_earlier_ones_and_each_is_named() {
    let home = home();
    let folder = home.path();
    let of = |args: &[&str], variables: &[(&str, &str)]| shown(folder, "fps", args, variables);
    assert_eq!(of(&[], &[]), ("30".into(), "default".into()));
    let user = folder.join(".config/taillight/config.toml");
    fs::write(&user, "# mine\nfps = 20\n").expect("written");
    assert_eq!(of(&[], &[]), ("20".into(), format!("{}, line 2", user.display())));
    let project = folder.join(".taillight.toml");
    fs::write(&project, "fps = 15\n").expect("written");
    let (value, origin) = of(&[], &[]);
    assert!(value == "15" && origin.ends_with("/.taillight.toml, line 1"), "{origin}");
    assert_eq!(of(&[], &[("TAILLIGHT_FPS", "12")]), ("12".into(), "TAILLIGHT_FPS".into()));
    let of = |args: &[&str], variables: &[(&str, &str)]| shown(folder, "port", args, variables);
    let variable = ("TAILLIGHT_PORT", "9001");
    assert_eq!(of(&["--port", "9002"], &[variable]), ("9002".into(), "--port".into()));
    assert_eq!(of(&[], &[variable]), ("9001".into(), "TAILLIGHT_PORT".into()));
}

#[test]
fn another_settings_file_takes_the_place_of_ones_own() {
    let home = home();
    let folder = home.path();
    fs::write(folder.join(".config/taillight/config.toml"), "fps = 20\n").expect("written");
    fs::write(folder.join("other.toml"), "live = false\n").expect("written");
    for (args, variables) in
        [(&["--config", "other.toml"][..], &[][..]), (&[][..], &[("TAILLIGHT_CONFIG", "other.toml")][..])]
    {
        assert_eq!(shown(folder, "live", args, variables).0, "false");
        assert_eq!(shown(folder, "fps", args, variables).0, "30");
    }
    let output = run(folder, &["config", "--config", "none.toml"], &[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("cannot read the settings file `none.toml`"));
    let output = run(folder, &["config"], &[("TAILLIGHT_CONFIG", "none.toml")]);
    assert_eq!(output.status.code(), Some(4));
    let said = text(&output.stderr);
    assert!(said.contains("`none.toml`: ") && said.contains("leave TAILLIGHT_CONFIG out"), "{said}");
}

#[test]
fn a_folder_of_sources_that_is_not_there_is_said() {
    let home = home();
    for (args, said) in [
        (
            &["config", "--root", "nowhere"][..],
            "taillight: source.root: there is no folder `nowhere`, so no source file is found there\n",
        ),
        (&["config", "--root", ".config"], ""),
    ] {
        let output = run(home.path(), args, &[]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), said.to_owned()));
    }
}

#[test]
fn a_mistake_names_file_line_and_what_is_allowed_and_the_rest_counts() {
    let home = home();
    let folder = home.path();
    let path = folder.join(".config/taillight/config.toml");
    fs::write(&path, "fps = 99\nprot = 1\nlive = false\n").expect("written");
    let output = run(folder, &["config"], &[("TAILLIGHT_ZONE", "Mars/Base")]);
    assert_eq!(output.status.code(), Some(0));
    let path = path.display();
    assert_eq!(
        text(&output.stderr),
        format!(
            "taillight: {path}: line 1, column 7: fps is a number from 1 to 30\n    fps = 99\n          ^\n\
             taillight: {path}: line 2, column 1: unknown setting prot. Did you mean port?\n    prot = 1\n    ^\n\
             taillight: TAILLIGHT_ZONE: zone is local, UTC or a zone such as Europe/Berlin\n"
        )
    );
    let listing = text(&output.stdout);
    assert!(
        listing.contains("fps = 30 ")
            && listing.contains("live = false ")
            && listing.contains("zone = \"local\"")
    );
}

#[test]
fn a_cloned_repository_opens_nothing_until_it_is_trusted_and_only_as_it_was() {
    let home = home();
    let folder = home.path();
    let path = folder.join(".taillight.toml");
    let hostile =
        "bind = \"0.0.0.0\"\ntoken = \"env:HOME\"\nfilter = \"level>=warn\"\n\"\\u001b]0;x\\u0007\" = 1\n";
    fs::write(&path, hostile).expect("written");
    let output = run(folder, &["config"], &[]);
    let said = text(&output.stderr);
    assert!(
        said.contains("line 1, column 1: bind does not count") && said.contains("taillight trust"),
        "{said}"
    );
    assert!(!said.contains('\u{1b}') && !text(&output.stdout).contains('\u{1b}'), "{said:?}");
    let bind = || shown(folder, "bind", &[], &[]).0;
    assert_eq!(
        (bind(), shown(folder, "filter", &[], &[]).0),
        ("\"127.0.0.1\"".into(), "\"level>=warn\"".into())
    );
    let trusted = run(folder, &["trust"], &[]);
    assert_eq!(trusted.status.code(), Some(0), "{}", text(&trusted.stderr));
    assert_eq!(bind(), "\"0.0.0.0\"");
    fs::write(&path, format!("{hostile}# more\n")).expect("written");
    assert_eq!(bind(), "\"127.0.0.1\"", "it has changed since");
    run(folder, &["trust"], &[]);
    run(folder, &["trust", "--withdraw"], &[]);
    assert_eq!(bind(), "\"127.0.0.1\"");
    let nowhere = tempfile::tempdir().expect("a folder");
    let output = run(nowhere.path(), &["trust"], &[]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_secret_is_shown_only_where_it_is_kept() {
    let home = home();
    let folder = home.path();
    let literal = shown(folder, "token", &["--token", "hush-hush-hush"], &[]);
    assert_eq!(literal, ("\"••••\"".into(), "--token".into()));
    assert_eq!(shown(folder, "token", &["--token", "env:X"], &[]).0, "\"env:X\"");
    let output = run(folder, &["serve", "--bind", "0.0.0.0", "--port", "0", "--token", "env:NOT_SET"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("the variable NOT_SET is not set"));
}

#[test]
fn what_config_prints_is_a_settings_file_that_sets_the_same() {
    let home = home();
    let folder = home.path();
    fs::write(
        folder.join(".config/taillight/config.toml"),
        "fps = 9\nbuffer.mb = 5\n[filters]\nx = \"a \\\"b\\\"\"\n[signal]\nids = { disallow = \"a/*\" }\nenrich = { x = \"host\" }\n\
         [[signal.transforms]]\nwhen = \"type:log\"\nset = { b = true, c = 1.5 }\n[[signal.transforms]]\ndrop = \"b\"\n",
    )
    .expect("written");
    let listing = run(folder, &["config"], &[]).stdout;
    fs::write(folder.join("again.toml"), &listing).expect("written");
    let again = run(folder, &["config", "--config", "again.toml"], &[]);
    let stripped = |listing: &[u8]| -> Vec<String> {
        text(listing).lines().map(|line| line.split("  #").next().unwrap_or("").trim().to_owned()).collect()
    };
    assert_eq!(text(&again.stderr), "");
    assert_eq!(stripped(&again.stdout), stripped(&listing));
}

#[test]
fn doctor_says_what_is_wrong_and_what_to_do() {
    let home = home();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = holder.local_addr().expect("its address").port().to_string();
    let doctor = |port: &str| run(home.path(), &["doctor", "--port", port], &[("TERM", "xterm-256color")]);
    let output = doctor(&port);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("{port} is taken")) && said.contains("--port N"), "{said}");
    drop(holder);
    fs::write(home.path().join(".config/taillight/config.toml"), "fps = 99\n").expect("written");
    let output = doctor("0");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for expected in
        ["1 of them cannot be used", "is free", "state", "clock", "terminal", "clipboard", "glyphs"]
    {
        assert!(said.contains(expected), "{expected} in\n{said}");
    }
    let running = crate::harness::Program::start(&["serve"]);
    assert_eq!(running.post(r#"[{"message":"a"},{"message":"b"}]"#).status, 202);
    let output = doctor(&running.port.to_string());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("taillight is listening") && said.contains("/taillight.js answers"), "{said}");
    assert!(said.contains("no page is connected, 2 events received"), "{said}");
    assert!(said.contains("Content-Security-Policy"), "{said}");
    let _page = running.client("00112233445566778899aabbccddeeff");
    let said = text(&doctor(&running.port.to_string()).stdout);
    assert!(said.contains("1 connected, 2 events received"), "{said}");
}

#[test]
fn what_is_slow_one_route_and_the_same_error_is_for_the_user_to_say() {
    let home = home();
    let folder = home.path();
    let call = |name: &str| {
        format!(
            r#"{{"type":"metric","subtype":"api-call","url":"/u/{name}","method":"GET","status":200,"duration-ms":20}}"#
        )
    };
    let error = |place: &str| {
        format!(
            r#"{{"type":"error","subtype":"javascript","message":"gone","stack":"Error: gone\n    at {place} (http://h/src/{place}.js:1:1)"}}"#
        )
    };
    let lines = [call("ada"), call("lin"), error("save"), error("load")].join("\n");
    fs::write(folder.join("a.jsonl"), lines).expect("written");
    let matched = |filter: &str, variables: &[(&str, &str)]| {
        let output = run(folder, &["export", "--from", "a.jsonl", "-f", filter], variables);
        text(&output.stdout).lines().count()
    };
    let groups = |variables: &[(&str, &str)]| {
        let output = run(folder, &["stats", "--from", "a.jsonl", "--json"], variables);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report["groups"].as_array().expect("groups").len()
    };
    assert_eq!((matched("is:slow", &[]), matched("is:slow", &[("TAILLIGHT_SLOW_REQUEST", "10")])), (0, 2));
    let one = "endpoint=\"GET /u/:name\"";
    assert_eq!((matched(one, &[]), matched(one, &[("TAILLIGHT_ROUTES", "/u/:name")])), (0, 2));
    assert_eq!((groups(&[]), groups(&[("TAILLIGHT_ERRORS_GROUP_BY", "message")])), (2, 1));
}

/// The table of settings as `docs/settings.md` has it.
fn tables() -> String {
    let mut table =
        "| setting | default | option | allowed, and what it does |\n| --- | --- | --- | --- |\n".to_owned();
    for setting in &SETTINGS {
        table.push_str(&row(setting));
    }
    for section in &SECTIONS {
        table.push_str(&format!("| `{}` | | | {} |\n", section.form, section.help));
    }
    table
}

fn row(setting: &Setting) -> String {
    let flag = match setting.flag {
        Flag::None => String::new(),
        Flag::Value(name, _) | Flag::Switch(name, _) => format!("`--{name}`"),
    };
    let allowed = match setting.kind {
        Kind::Flag | Kind::Size => String::new(),
        _ => format!("{}. ", setting.kind.allowed()),
    };
    let star = if setting.project == Project::Trusted { " \\*" } else { "" };

    let default = setting.written(&Settings::default());
    format!("| `{}`{star} | `{default}` | {flag} | {allowed}{} |\n", setting.key, setting.help)
}

#[test]
fn the_docs_have_every_setting() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    let page = fs::read_to_string(&path).expect("readable");
    let start = page.find("| setting | default |").expect("the table");
    let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
    if std::env::var_os("TAILLIGHT_DOCS").is_some() {
        let written = format!("{}{}{}", &page[..start], tables(), &page[end..]);
        return fs::write(path, written).expect("writable");
    }
    assert_eq!(page[start..end], tables(), "TAILLIGHT_DOCS=write cargo test --test it config writes it");
}
