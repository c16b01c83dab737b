//! What is taken out of text that cannot be read, in every form it comes in, and the property that no secret stays.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::keys::Rules;
use super::*;

fn scrubbed(text: &str) -> String {
    let mut found = Vec::new();
    find(text, &Keys::new(&Rules::default()), &mut found);
    assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start), "{found:?}");
    let mut out = text.to_owned();
    for range in found.into_iter().rev() {
        out.replace_range(range, "#");
    }
    out
}

#[test]
fn values_of_secret_names_go_whatever_they_are_written_in() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        // JSON that is none.
        (r#"{"password":"x","a":1"#, r##"{"password":"#","a":1"##),
        (r#"{"a":1,"API_KEY" : "x"} trailing"#, r##"{"a":1,"API_KEY" : "#"##),
        (r#"{"p\u0061ssword":"x","a":"y"#, r##"{"p\u0061ssword":"#","a":"y"##),
        (r#"{"password":"a\"b\\","c":"d"#, r##"{"password":"#","c":"d"##),
        (r#"{"password":"hun"ter2","c":"d"}"#, r##"{"password":"#","c":"d"}"##),
        (r#"{"password":"ab"}cd"}"#, r##"{"password":"#"}"##),
        (r#"{"password":"never ends"#, r##"{"password":"#"##),
        (r#"{"password":1234,"c":NaN}"#, r##"{"password":#,"c":NaN}"##),
        (r#"{"token":{"a":"x","b":["y"]},"c":NaN}"#, r##"{"token":#,"c":NaN}"##),
        (r#"{"token":["x","y"#, r##"{"token":#"##),
        (
            r#"{"body":"{\"password\":\"a\\\"b\",\"c\":1}","d":}"#,
            r##"{"body":"{\"password\":\"#\",\"c\":1}","d":}"##,
        ),
        (r#"{"body":"user=bob\npassword=x&b=1"#, r##"{"body":"user=bob\npassword=#&b=1"##),
        ("{'password':'x','a':nul}", "{'password':'#','a':nul}"),
        ("{password:x,a:1}", "{password:#,a:1}"),
        (r#"{"context":{"phone":"1"},"a":"#, r##"{"context":{"phone":"#"},"a":"##),
        (r#"{"phone":"1","a":"#, r#"{"phone":"1","a":"#),
        (r#"{"password":null,"a":"#, r#"{"password":null,"a":"#),
        (r#"{"password":"[redacted]","a":"#, r#"{"password":"[redacted]","a":"#),
        (r#"{"type":"token","a":"b"#, r#"{"type":"token","a":"b"#),
        (r#"{"url":"http://h:80/token","a":"b"#, r#"{"url":"http://h:80/token","a":"b"#),
        ("Unexpected token < in JSON", "Unexpected token < in JSON"),
        // Escaped as in URLs.
        (r#"{"body":"user%5Btoken%5D=abc&x=1","a":"#, r##"{"body":"user%5Btoken%5D=#&x=1","a":"##),
        (
            r#"{"url":"/a?next=%2Fx%3F%2574oken%3Dabc%26b%3D1","a":"#,
            r##"{"url":"/a?next=%2Fx%3F%2574oken%3D#%26b%3D1","a":"##,
        ),
        // EDN.
        (r#"{:password "x", :a #<bad>}"#, r##"{:password "#", :a #<bad>}"##),
        (r#"{:user/password "x" :a 1"#, r##"{:user/password "#" :a 1"##),
        ("{:token :x :a 1", "{:token # :a 1"),
        ("{:kind :token :password :x :a 1", "{:kind :token # # :a 1"),
        ("{:secret 12 :a 1", "{:secret # :a 1"),
        (r#"{:token #js {:b "x", :c "y"} :a 1"#, "{:token # :a 1"),
        (r##"{:token #_"x" "y", :a 1"##, "{:token #, :a 1"),
        (r#"{"password" "x", :a 1"#, r##"{"password" "#", :a 1"##),
        (r#"{password "x", a 1"#, r##"{password "#"##),
        // Transit, and numbers of its cache, which may stand for anything.
        (r#"["^ ","~:password","x","~:a",1]"#, r##"["^ ","~:password","#","~:a",1]"##),
        (r#"["^ ","password","x","~:a",1]"#, r##"["^ ","password","#","~:a",1]"##),
        (r#"["^ ","^0","x","^1",["^ ","~:b","y"],"~:a",1]"#, r##"["^ ","^0","#","^1",#,"~:a",1]"##),
        (r#"["^ ","~:kind","^1","~:token","x"]"#, r##"["^ ","~:kind","^1","#"]"##),
        // MessagePack with the bytes that are no text replaced.
        ("\u{fffd}\u{fffd}password\u{fffd}hunter2\u{fffd}", "\u{fffd}\u{fffd}password#"),
        ("\u{fffd}\u{8}\u{0}password\u{fffd}hunter2", "\u{fffd}\u{8}#"),
        ("\u{fffd}\u{8}\u{3}\u{fffd}hunter2", "\u{fffd}\u{8}#"),
        // Forms, headers and the like.
        ("password=x", "password=#"),
        ("level=warn password=x y user=bob", "level=warn password=# user=bob"),
        ("a=1&user[password]=x&b=2", "a=1&user[password]=#&b=2"),
        ("Cookie: a=x; b=y\nHost: h", "Cookie: #\nHost: h"),
        ("private_key: -----BEGIN\nabc=\n-----END", "private_key: #"),
        ("<password>x</password>", "<password>#"),
        ("form-data; name=\"password\"\r\n\r\nx", "form-data; name=\"password\"\r\n\r\n#"),
        // Shapes.
        (r#"{"a":"Bearer abcdef","b":"#, r##"{"a":"Bearer #","b":"##),
        (r#"{"a":"4111 1111 1111 1111""#, r##"{"a":"#""##),
        (r#"{"a":"https:\/\/bob:x@h","#, r##"{"a":"https:\/\/#@h","##),
        (r#"{"a":"eyJhbGciOiJkaXIifQ.e"#, r##"{"a":"#"##),
    ] {
        let out = scrubbed(text);
        if out != expected {
            wrong.push(format!("{text}\n  {out}\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "text, what became of it, what should have:\n{}", wrong.join("\n"));
}

#[test]
fn doubt_has_an_end() {
    for piece in [
        ":token ",
        "\"token\",",
        "token=",
        "\"^1\",",
        "password:\"",
        "pwd\\\"",
        "{:token #_",
        "pin, ",
        "] \"a",
    ] {
        let text = piece.repeat(200_000 / piece.len());
        scrubbed(&text);
        scrubbed(&format!("{text}\"b\":1}}"));
    }
}

/// What a secret is made of; none of the texts around it has it.
const CANARY: &str = "ZQ";

/// A text in one of the forms, and the secret that stands in it.
fn hidden() -> impl Strategy<Value = String> {
    let name = select(vec![
        "password",
        "PASSWD",
        "apiKey",
        "api-key",
        "API_KEY",
        "access_token",
        "refreshToken",
        "Authorization",
        "set-cookie",
        "credit_card",
        "cvv",
        "privateKey",
        "_token",
        "secret?",
        "p\\u0061ssword",
    ]);
    let word = "[a-z0-9.;!$%*<>/ -]{0,6}";
    let secret = proptest::collection::vec(word, 1..5)
        .prop_map(|words| words.iter().map(|word| format!("{CANARY}{word}")).collect::<String>());
    let quotes = proptest::collection::vec(select(vec!["\"", "\\", "'", "{", "}", "[", "]", ",", "#"]), 0..3);
    let before = select(vec!["", r#"{"a":1,"#, "[{", r#"{"m":"it's \"so\"","#, "user=bob "]);
    let after =
        select(vec!["", "}", r#","b":2}"#, r#"}, {"c":"d"}]"#, " :b 2}", r#"],"~:b",2]"#, "\n\"b\":"]);
    (name, secret, quotes, before, after, 0..11usize).prop_map(
        |(name, secret, quotes, before, after, form)| {
            let odd: String = quotes.iter().map(|quote| format!("{quote}{CANARY}")).collect();
            let nasty = format!("{secret}{odd}");
            let json = serde_json::json!(nasty).to_string();
            let plain = secret.trim_end();
            let inner = match form {
                0 => format!("\"{name}\":{json}"),
                1 => format!("\"{name}\" : {json}"),
                2 => format!("\"body\":{}", serde_json::json!(format!("{{\"{name}\":{json}}}"))),
                3 => format!(":{name} {json}"),
                4 => format!("\"~:{name}\",{json}"),
                5 => format!("\"{name}\":[{json},{{\"x\":{json}}}]"),
                6 => format!(":user/{name} #js {{:x {json}}}"),
                7 => format!("{name}={}", plain.replace(' ', "+")),
                8 => format!("{name}: {plain}"),
                // The quotes within were forgotten.
                9 => format!("\"{name}\":\"{}\"", nasty.replace(['\\', ',', ' '], "")),
                _ => format!("\"{name}\" {json}"),
            };
            format!("{before}{inner}{after}")
        },
    )
}

proptest! {
    #[test]
    fn no_part_of_a_secret_stays(text in hidden(), cut in 0.5..1.0f64) {
        let out = scrubbed(&text);
        prop_assert!(!out.contains(CANARY), "{} became {}", text, out);
        let end = text.floor_char_boundary((text.len() as f64 * cut) as usize);
        let out = scrubbed(&text[..end]);
        prop_assert!(!out.contains(CANARY), "{} became {}", &text[..end], out);
    }

    #[test]
    fn no_packed_secret_stays(
        name in select(vec!["password", "api-key", "token"]),
        secret in "ZQ[a-zA-Z0-9]{0,40}",
        is_keyword: bool,
        cut in 0..80usize,
    ) {
        use rmpv::Value;
        let key = if is_keyword { Value::Ext(0, name.as_bytes().to_vec()) } else { name.into() };
        let map = Value::Map(vec![("a".into(), 1.into()), (key, secret.into()), ("b".into(), "c".into())]);
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &map).expect("memory");
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(cut)]).into_owned();
        let out = scrubbed(&text);
        prop_assert!(!out.contains(CANARY), "{:?} became {:?}", text, out);
    }

    #[test]
    fn any_text_is_taken_and_what_is_left_was_there(text in r#"[\\"':=,{}\[\]()#^~&; a-cé\n]{0,20}(password|token)?[\\"':=,{}\[\]()#^~&; a-cé\n]{0,30}"#) {
        let mut found = Vec::new();
        find(&text, &Keys::new(&Rules::default()), &mut found);
        for range in found {
            prop_assert!(text.get(range).is_some_and(|inner| !inner.is_empty()));
        }
    }
}
