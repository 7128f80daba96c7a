//! What a query names, held against the catalog: a dashboard or an alert over a metric that nobody has shows nothing,
//! and nobody notices.

use tasker_events::EventId;
use tasker_metrics::Kind;

use super::Metric;

/// What Prometheus adds to every series.
const OF_TARGETS: [&str; 2] = ["job", "instance"];

/// Metrics that the catalog does not list, with their labels: what Prometheus says of a target, and what a registry
/// says of labels with too many values.
const BESIDES: [(&str, &[&str]); 2] = [("up", &[]), ("tasker_metrics_overflows_total", &["metric"])];

/// The words before a list of labels.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// A query names something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A metric.
    #[error(
        "the query {query:?} asks for {metric}, which is not in the catalog; correct it, or add the metric there"
    )]
    Metric {
        /// The query.
        query: String,
        /// What it asks for.
        metric: String,
    },
    /// A label.
    #[error(
        "the query {query:?} names the label {label}, which none of its metrics has; see docs/reference/metrics.md"
    )]
    Label {
        /// The query.
        query: String,
        /// What it names.
        label: String,
    },
    /// An event.
    #[error(
        "the query {query:?} asks for the event {event}, which is never told; see docs/reference/events.md"
    )]
    Event {
        /// The query.
        query: String,
        /// What it asks for.
        event: String,
    },
}

/// A part of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Text(&'a str),
    Mark(char),
}

/// What a query names.
#[derive(Debug, Default)]
struct Named<'a> {
    metrics: Vec<&'a str>,
    labels: Vec<&'a str>,
    events: Vec<&'a str>,
}

/// Checks that everything a query in `PromQL` names is there.
///
/// # Errors
///
/// The first thing that is not.
pub fn check_query(query: &str) -> Result<(), QueryError> {
    let named = Named::by(&tokens(query));
    let query = || query.to_owned();
    let mut there = OF_TARGETS.to_vec();
    for metric in named.metrics {
        let labels = labels_of(metric);
        there.extend(labels.ok_or_else(|| QueryError::Metric { query: query(), metric: metric.to_owned() })?);
    }
    if let Some(label) = named.labels.into_iter().find(|label| !there.contains(label)) {
        return Err(QueryError::Label { query: query(), label: label.to_owned() });
    }
    let is_told = |name: &str| EventId::ALL.iter().any(|event| event.name() == name);
    match named.events.into_iter().find(|name| !is_told(name)) {
        Some(event) => Err(QueryError::Event { query: query(), event: event.to_owned() }),
        None => Ok(()),
    }
}

/// The labels of a series, by the name that it has in Prometheus.
fn labels_of(series: &str) -> Option<Vec<&'static str>> {
    if let Some((_, labels)) = BESIDES.iter().find(|(name, _)| *name == series) {
        return Some(labels.to_vec());
    }
    Metric::ALL.iter().find_map(|metric| {
        let rest = series.strip_prefix(metric.name())?;
        let (_, kind) = metric.declaration();
        let bound: &[&str] = match (kind, rest) {
            (Kind::Histogram(_) | Kind::Exponential(_), "_bucket") => &["le"],
            (Kind::Histogram(_) | Kind::Exponential(_), "_sum" | "_count")
            | (Kind::Counter | Kind::Gauge(_), "") => &[],
            (Kind::Histogram(_) | Kind::Exponential(_) | Kind::Counter | Kind::Gauge(_), _) => return None,
        };
        Some([metric.labels(), bound].concat())
    })
}

impl<'a> Named<'a> {
    fn by(tokens: &[Token<'a>]) -> Self {
        let mut named = Self::default();
        for (at, token) in tokens.iter().enumerate() {
            let Token::Word(word) = *token else { continue };
            let rest = &tokens[at + 1..];
            match rest.first() {
                Some(Token::Mark('{')) => {
                    named.metrics.push(word);
                    named.take_matchers(&rest[1..]);
                }
                Some(Token::Mark('(')) if BEFORE_LABELS.contains(&word) => {
                    let list = rest.iter().take_while(|token| **token != Token::Mark(')'));
                    named.labels.extend(list.filter_map(Token::word));
                }
                _ if word.starts_with("tasker_") => named.metrics.push(word),
                _ => {}
            }
        }
        named
    }

    /// Takes `label="text",…` up to the closing brace.
    fn take_matchers(&mut self, rest: &[Token<'a>]) {
        let end = rest.iter().position(|token| *token == Token::Mark('}')).unwrap_or(rest.len());
        for matcher in rest[..end].split(|token| *token == Token::Mark(',')) {
            self.labels.extend(matcher.first().and_then(Token::word));
            if let [Token::Word("event"), Token::Mark('='), rest @ ..] = matcher {
                // Of a pattern each alternative is an event.
                let texts = rest.iter().filter_map(Token::text);
                self.events.extend(texts.flat_map(|text| text.split('|')));
            }
        }
    }
}

impl<'a> Token<'a> {
    fn word(&self) -> Option<&'a str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }

    fn text(&self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Words, texts without their quotes, and marks. A word that follows `$` is a variable of Grafana, and no word.
fn tokens(query: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let length = match first {
            '"' => {
                let length = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
                tokens.push(Token::Text(rest[..length].trim_matches('"')));
                length
            }
            c if is_in_word(c) || c == '$' => {
                let length = rest[1..].find(|c| !is_in_word(c)).map_or(rest.len(), |end| end + 1);
                if c != '$' {
                    tokens.push(Token::Word(&rest[..length]));
                }
                length
            }
            mark => {
                tokens.push(Token::Mark(mark));
                mark.len_utf8()
            }
        };
        rest = rest[length..].trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_catalog_has_may_be_asked_for() {
        for query in [
            "sum by (namespace, outcome) (rate(tasker_tasks_total{task=~\"$task\"}[$__rate_interval]))",
            "histogram_quantile(0.95, sum by (le, step) (rate(tasker_step_attempt_duration_seconds_bucket[5m])))",
            "up{job=\"tasker\"} == 0 or absent(tasker_store_up)",
            "tasker_events_total{event=~\"lease.lost|lease.expired\", instance!=\"a\"} or vector(0)",
            "tasker_metrics_overflows_total{metric=\"tasker_tasks_total\"}",
        ] {
            assert_eq!(check_query(query), Ok(()));
        }
    }

    #[test]
    fn a_metric_that_is_not_there_is_named() {
        let parts = [
            "tasker_task_total",
            "tasker_tasks_total_count",
            "tasker_task_duration_seconds",
            "node_load1{job=\"a\"}",
        ];
        for query in parts {
            let metric = query.split('{').next().unwrap_or_default().to_owned();
            let wanted = QueryError::Metric { query: query.to_owned(), metric };
            assert_eq!(check_query(query), Err(wanted));
        }
    }

    #[test]
    fn a_label_that_none_of_the_metrics_has_is_named() {
        let queries = [
            "sum by (step) (tasker_tasks_total)",
            "tasker_tasks_total{outcome=\"failed\", step=\"a\"}",
            "tasker_store_up * on (step) tasker_step_attempts_total{le=\"1\"}",
        ];
        let labels = queries.map(|query| match check_query(query) {
            Err(QueryError::Label { label, .. }) => label,
            other => panic!("{query}: {other:?}"),
        });
        assert_eq!(labels, ["step", "step", "le"]);
    }

    #[test]
    fn an_event_that_is_never_told_is_named() {
        let query = "rate(tasker_events_total{event=~\"lease.lost|lease.found\"}[5m])";
        let wanted = QueryError::Event { query: query.to_owned(), event: "lease.found".to_owned() };
        assert_eq!(check_query(query), Err(wanted));
    }

    #[test]
    fn what_a_registry_says_besides_is_what_it_says() {
        let registry = tasker_metrics::Registry::default();
        let wild = tasker_metrics::Description::new("wild_total", "Wild.").labels(&["a"]).limit(1);
        let wild = registry.counter(wild).expect("a counter");
        for value in ["a", "b"] {
            wild.with(&[value]).increment();
        }
        let text =
            tasker_metrics::text::encode(&registry.snapshot(), tasker_metrics::text::Format::Prometheus);
        let (name, labels) = BESIDES[1];
        assert!(text.contains(&format!("{name}{{{}=\"wild_total\"}} 1\n", labels[0])), "{text}");
    }
}
