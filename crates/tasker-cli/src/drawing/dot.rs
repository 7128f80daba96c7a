//! Graphviz: <https://graphviz.org/doc/info/lang.html>.

use tasker_core::TaskTemplate;

/// The dependencies of a template as a directed graph.
pub(crate) fn draw(template: &TaskTemplate) -> String {
    let name = |step: u32| quoted(template.steps[step as usize].name.as_str());
    let nodes = template.steps.iter().map(|step| {
        let (id, handler) = (quoted(step.name.as_str()), escaped(step.handler.as_str()));
        format!("  {id} [label=\"{}\\n{handler}\"]", escaped(step.name.as_str()))
    });
    let edges = template.dependencies().edges().map(|(from, to)| format!("  {} -> {}", name(from), name(to)));
    let lines: Vec<String> = nodes.chain(edges).collect();
    let title = quoted(&template.key().to_string());
    format!("digraph {title} {{\n  node [shape=box, style=rounded]\n{}\n}}", lines.join("\n"))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// In a quoted text, `"` and `\` are escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
