//! `wasmpod debug`: a shell, or a program of this machine, in a container that runs.

use crate::harness::{PodText, World, guest};

#[test]
fn tools_and_programs_come_to_a_container_that_has_none() {
    let world = World::new();
    let toolbox = guest("toolbox");
    let pod = PodText::new("web")
        .container("app", &toolbox, &["idle"])
        .with("env: [{name: WHO, value: app}]")
        .container("proxy", &toolbox, &["idle"])
        .with("env: [{name: WHO, value: proxy}]");
    world.does(["apply", "-f", &pod.write(&world)]);
    world.wait_for_row("web", "2/2 Running 0");

    let who = ["--", "sh", "-c", "echo $WHO"];
    assert_eq!(world.does(["debug", "-q", "web"].into_iter().chain(who)), "app\n");
    let proxy = ["debug", "pod/web", "--target=proxy"].into_iter().chain(who);
    assert_eq!(world.does(proxy), "proxy\n");

    // Without a command it is a shell.
    let shell = world.wasmpod(["debug", "-qi", "web"]).input("echo $WHO; exit 7\n").finish();
    assert_eq!((shell.code, shell.stdout.as_str()), (7, "app\n"), "{shell}");

    let hello = guest("hello");
    let image = format!("hello.example/hello={hello}");
    for words in
        [vec!["--image", &hello], vec!["--image", "hello.example/hello", "--image-map", &image]]
    {
        let words = ["debug", "-q", "web"].into_iter().chain(words).chain(["--", "there"]);
        let said = world.does(words);
        assert!(said.contains("Hello, there"), "{said}");
    }
    let nothing = world.wasmpod(["debug", "-q", "web", "--image=nothing.wasm"]).finish();
    assert!(
        nothing.code != 0 && nothing.stderr.contains("nothing.wasm doesn't exist"),
        "{nothing}"
    );
    world.refuses(["debug", "web", "--target=none"]);
    world.refuses(["debug", "nobody"]);
}
