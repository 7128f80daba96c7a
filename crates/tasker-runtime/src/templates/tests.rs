//! What is read from directories, and what is said of files that are wrong.

use tasker_core::SystemClock;
use tasker_engine::EngineSettings;
use tasker_store::Store;
use tasker_store::memory::MemoryStore;
use tempfile::TempDir;

use super::*;

fn template(name: &str, handler: &str) -> String {
    format!("name: {name}\nversion: 1.0.0\nstep_templates:\n  - name: only\n    handler_class: {handler}\n")
}

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    directory
}

fn read(directory: &TempDir) -> Result<Vec<TemplateFile>, String> {
    let plain = |error: RunError| error.to_string().replace(&format!("{}/", directory.path().display()), "");
    read_templates(&[directory.path().to_owned()], None).map_err(plain)
}

fn engine() -> Engine {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    Engine::new(store, EngineSettings::default())
}

#[test]
fn every_template_below_a_directory_is_read_and_nothing_else() {
    let directory = directory(&[
        ("b.yaml", &template("b", "noop")),
        ("deep/er/a.yml", &template("a", "noop")),
        ("c.json", r#"{"name": "c", "step_templates": [{"name": "only", "handler_class": "noop"}]}"#),
        ("README.md", "no template"),
        (".hidden/b.yaml", &template("b", "noop")),
    ]);
    let files = read(&directory).expect("valid");
    let names: Vec<String> = files.iter().map(|file| file.template.name.to_string()).collect();
    assert_eq!(names, ["b", "c", "a"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let directory = directory(&[
        ("a.yaml", "name: a\nstep_templates:\n  - name: x\n    depends_on_step: y\n"),
        ("b.yaml", "name: [\n"),
        ("c.yaml", &template("c", "noop")),
        ("d.yaml", &template("c", "other")),
    ]);
    insta::assert_snapshot!(read(&directory).expect_err("refused"), @r#"
    the templates cannot be used:
      a.yaml:3: step_templates[0]: a step needs "handler_class"; add "handler_class: NAME", such as http or Orders::ShipHandler
      a.yaml:4: step_templates[0].depends_on_step: step "y" is not defined; define it under "step_templates", or remove the dependency
      b.yaml:2: this is not valid YAML: while parsing a node, did not find expected node content
      d.yaml: default.c@1.0.0 stands in c.yaml already: remove one, or raise its version
    "#);
}

#[test]
fn a_directory_must_be_there() {
    let error = read_templates(&[PathBuf::from("nowhere")], None).expect_err("refused");
    insta::assert_snapshot!(error, @r"
    the templates cannot be used:
      nowhere: it cannot be read: No such file or directory (os error 2)
    ");
    assert_eq!(error.code(), 2);
}

#[tokio::test]
async fn the_same_template_is_registered_again_and_another_under_its_version_is_not() {
    let engine = engine();
    let first = read(&directory(&[("a.yaml", &template("a", "noop"))])).expect("valid");
    register_templates(&engine, &first).await.expect("registered");
    register_templates(&engine, &first).await.expect("registered again");
    let changed = directory(&[("a.yaml", &template("a", "other")), ("b.yaml", &template("b", "noop"))]);
    let error = register_templates(&engine, &read(&changed).expect("valid")).await.expect_err("refused");
    let told = error.to_string().replace(&format!("{}/", changed.path().display()), "");
    insta::assert_snapshot!(told, @r"
    the templates cannot be used:
      a.yaml: default.a@1.0.0 is registered already with other content: raise its version
    ");
    assert_eq!(engine.store().template_keys().await.expect("answered").len(), 2);
}
