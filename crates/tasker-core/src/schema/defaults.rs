//! Fills in what a schema's `default` keywords say for properties that are missing.
//!
//! Followed are `properties`, `items`, `prefixItems`, `allOf` and references into the schema itself. Not
//! followed is what applies only under a condition (`anyOf`, `oneOf`, `if`): which branch holds is not known
//! before validation.

use std::collections::HashSet;

use serde_json::Value;

use super::ContextProblem;

/// How deeply defaults may be filled into values that are defaults themselves.
const MAX_DEPTH: usize = 64;
/// How many defaults may be filled into values that are defaults themselves.
const MAX_NESTED: usize = 10_000;

/// Fills the defaults of `schema` into `instance`.
///
/// # Errors
/// The problem that defaults of a recursive schema would nest without end.
pub(super) fn insert(schema: &Value, instance: &mut Value) -> Result<(), ContextProblem> {
    let mut inserter = Inserter { root: schema, nested: 0 };
    inserter.visit(schema, instance, 0)
}

struct Inserter<'s> {
    root: &'s Value,
    nested: usize,
}

impl<'s> Inserter<'s> {
    /// `depth` is how many defaults `instance` lies within.
    fn visit(&mut self, schema: &'s Value, instance: &mut Value, depth: usize) -> Result<(), ContextProblem> {
        if depth > MAX_DEPTH || self.nested > MAX_NESTED {
            return Err(endless());
        }
        for schema in self.applicable(schema) {
            match instance {
                Value::Object(members) => self.visit_object(schema, members, depth)?,
                Value::Array(items) => self.visit_array(schema, items, depth)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        Ok(())
    }

    fn visit_object(
        &mut self,
        schema: &'s Value,
        members: &mut serde_json::Map<String, Value>,
        depth: usize,
    ) -> Result<(), ContextProblem> {
        let Some(Value::Object(properties)) = schema.get("properties") else {
            return Ok(());
        };
        for (name, property) in properties {
            let mut depth = depth;
            if !members.contains_key(name)
                && let Some(default) = self.default_of(property)
            {
                self.nested += usize::from(depth > 0);
                depth += 1;
                members.insert(name.clone(), default.clone());
            }
            if let Some(member) = members.get_mut(name) {
                self.visit(property, member, depth)?;
            }
        }
        Ok(())
    }

    fn visit_array(
        &mut self,
        schema: &'s Value,
        items: &mut [Value],
        depth: usize,
    ) -> Result<(), ContextProblem> {
        // Up to draft 2019-09 a tuple is written as `items: [..]` with `additionalItems` for the rest.
        let (first, rest) = match (schema.get("prefixItems"), schema.get("items")) {
            (Some(Value::Array(first)), rest) => (first.as_slice(), rest),
            (_, Some(Value::Array(first))) => (first.as_slice(), schema.get("additionalItems")),
            (_, rest) => (&[][..], rest),
        };
        for (index, item) in items.iter_mut().enumerate() {
            if let Some(schema) = first.get(index).or(rest) {
                self.visit(schema, item, depth)?;
            }
        }
        Ok(())
    }

    /// The default of a property, of itself or of what it refers to.
    fn default_of(&self, property: &'s Value) -> Option<&'s Value> {
        self.applicable(property).into_iter().find_map(|schema| schema.get("default"))
    }

    /// `schema` and all that hold wherever it holds, each once.
    fn applicable(&self, schema: &'s Value) -> Vec<&'s Value> {
        let mut seen: HashSet<*const Value> = HashSet::new();
        let mut found = Vec::new();
        let mut open = vec![schema];
        while let Some(schema) = open.pop() {
            if !seen.insert(std::ptr::from_ref(schema)) {
                continue;
            }
            found.push(schema);
            if let Some(Value::Array(all)) = schema.get("allOf") {
                open.extend(all.iter().rev());
            }
            let pointer = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
            open.extend(pointer.and_then(|pointer| self.root.pointer(pointer)));
        }
        found
    }
}

fn endless() -> ContextProblem {
    ContextProblem {
        path: String::new(),
        message: "the schema's defaults nest without end, or are too many".to_owned(),
        remedy: Some("remove the \"default\" from the definition that refers to itself".to_owned()),
    }
}
