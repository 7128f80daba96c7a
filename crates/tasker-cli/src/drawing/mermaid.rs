//! Mermaid, which many Markdown viewers draw: <https://mermaid.js.org/syntax/flowchart.html>.

use tasker_core::TaskTemplate;

/// The dependencies of a template as a flowchart.
pub(crate) fn draw(template: &TaskTemplate) -> String {
    let nodes = template.steps.iter().enumerate().map(|(ordinal, step)| {
        let (name, handler) = (escaped(step.name.as_str()), escaped(step.handler.as_str()));
        format!("\n    s{ordinal}[\"{name}<br/><i>{handler}</i>\"]")
    });
    let edges = template.dependencies().edges().map(|(from, to)| format!("\n    s{from} --> s{to}"));
    let lines: String = nodes.chain(edges).collect();
    format!("flowchart TD{lines}")
}

/// In a quoted label, what would end it or be taken for HTML is written as an entity.
fn escaped(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}
