//! Works out what can be known of Terraform's expressions.
//!
//! Literals, templates, heredocs, locals and `jsonencode` are worked out, and so is what takes the ends off a text. What only Terraform can know (a variable, a
//! resource, a data source) becomes a variable of ours; the rest (operators, functions, loops) is refused with its place.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Element, Template};

use super::value::{Piece, Value};

/// How often locals and defaults may refer to one another; more is a circle.
const MAX_DEPTH: usize = 32;

/// How many parts of expressions are worked out in all: each may be asked for by many others.
const MAX_STEPS: usize = 100_000;

/// What an expression cannot be worked out for.
pub(super) struct Unknown {
    /// Where, in bytes of the file.
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

/// What is known of the values that expressions refer to.
#[derive(Default)]
pub(super) struct Evaluator {
    /// The expressions of `locals` and the defaults of variables, by `local.NAME` and `var.NAME`.
    pub(super) known: HashMap<String, Expression>,
    /// The variables that stand for something, by what that is in Terraform.
    names: BTreeMap<String, String>,
    /// The parts of expressions that were worked out.
    n_steps: usize,
    /// Whose defaults were taken because no variable can stand in their place.
    pub(super) defaults_taken: Vec<String>,
}

impl Evaluator {
    /// Returns what an expression comes to.
    ///
    /// # Errors
    ///
    /// The part of it that would take Terraform itself.
    pub(super) fn value(&mut self, expression: &Expression) -> Result<Value, Unknown> {
        self.at_depth(expression, 0)
    }

    /// It calls itself as deep as expressions nest, which their parser bounds, and as locals refer to one another, which is
    /// bounded here.
    fn at_depth(&mut self, expression: &Expression, depth: usize) -> Result<Value, Unknown> {
        self.n_steps += 1;
        if self.n_steps > MAX_STEPS {
            let message = String::from("this is too much to work out: write what it comes to");
            return Err(Unknown { at: expression.span().unwrap_or_default(), message });
        }
        match expression {
            Expression::Null(_) => Ok(Value::Null),
            Expression::Bool(value) => Ok(Value::Bool(*value.value())),
            Expression::Number(number) => Ok(Value::Number(number.value().to_string())),
            Expression::String(text) => Ok(Value::known(text.value().as_str())),
            Expression::Array(items) => {
                items.iter().map(|item| self.at_depth(item, depth)).collect::<Result<_, _>>().map(Value::List)
            }
            Expression::Object(object) => self.object(object, depth),
            Expression::StringTemplate(template) => self.template(template, depth),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template, depth),
            Expression::Parenthesis(inner) => self.at_depth(inner.inner(), depth),
            Expression::Variable(name) => Ok(self.variable(name.as_str(), None)),
            Expression::Traversal(traversal) => self.traversal(traversal, depth),
            Expression::FuncCall(call) => self.call(call, depth),
            Expression::Conditional(_)
            | Expression::UnaryOp(_)
            | Expression::BinaryOp(_)
            | Expression::ForExpr(_) => Err(unknown(expression, "an operator or a loop")),
        }
    }

    fn object(&mut self, object: &Object, depth: usize) -> Result<Value, Unknown> {
        let mut members = Vec::with_capacity(object.len());
        for (key, value) in object {
            let name = match key {
                ObjectKey::Ident(name) => name.as_str().to_owned(),
                ObjectKey::Expression(expression) => {
                    let name = self.at_depth(expression, depth)?.as_known();
                    name.ok_or_else(|| unknown(expression, "the name of a key"))?
                }
            };
            members.push((name, self.at_depth(value.expr(), depth)?));
        }
        Ok(Value::Map(members))
    }

    fn template(&mut self, template: &Template, depth: usize) -> Result<Value, Unknown> {
        let mut pieces = Vec::new();
        for element in template {
            match element {
                Element::Literal(text) => pieces.push(Piece::Known(text.as_str().to_owned())),
                Element::Interpolation(interpolation) => match self.at_depth(&interpolation.expr, depth)? {
                    Value::Text(inner) => pieces.extend(inner),
                    Value::Number(number) => pieces.push(Piece::Known(number)),
                    Value::Bool(value) => pieces.push(Piece::Known(value.to_string())),
                    Value::Null | Value::List(_) | Value::Map(_) => {
                        return Err(unknown(&interpolation.expr, "something that is no text"));
                    }
                },
                Element::Directive(directive) => {
                    let at = directive.span().unwrap_or_default();
                    return Err(Unknown { at, message: only_terraform("a directive in a text") });
                }
            }
        }
        Ok(Value::Text(pieces))
    }

    fn traversal(&mut self, traversal: &Traversal, depth: usize) -> Result<Value, Unknown> {
        let path = path(traversal).ok_or_else(|| Unknown {
            at: traversal.span().unwrap_or_default(),
            message: only_terraform("an element of a list or a map"),
        })?;
        let Some(meant) = self.known.get(&path).cloned().filter(|_| depth < MAX_DEPTH) else {
            return Ok(self.variable(&path, None));
        };
        let value = self.at_depth(&meant, depth + 1)?;
        if path.starts_with("local.") {
            return Ok(value);
        }
        // Who has set the variable in Terraform sets it here.
        let default = match &value {
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(number) => Some(number.clone()),
            text => text.as_known().filter(|text| !text.contains('}') && !text.is_empty()),
        };
        match default {
            Some(default) => Ok(self.variable(&path, Some(default))),
            None if value == Value::Null || value == Value::known("") => Ok(self.variable(&path, None)),
            None => {
                self.defaults_taken.push(path);
                Ok(value)
            }
        }
    }

    fn call(&mut self, call: &FuncCall, depth: usize) -> Result<Value, Unknown> {
        let at = call.span().unwrap_or_default();
        let arguments: Vec<&Expression> = call.args.iter().collect();
        match (call.name.name.as_str(), arguments.as_slice()) {
            ("jsonencode", [argument]) => {
                let value = self.at_depth(argument, depth)?;
                let json = to_json(&value).ok_or_else(|| unknown(argument, "JSON with a variable in it"))?;
                Ok(Value::known(json.to_string()))
            }
            ("chomp" | "trimspace", [argument]) => {
                let text = self.at_depth(argument, depth)?.as_known();
                let text = text.ok_or_else(|| unknown(argument, "the end of a text that is a variable"))?;
                let is_space = |c: char| {
                    if call.name.name.as_str() == "chomp" { "\r\n".contains(c) } else { c.is_whitespace() }
                };
                let start = if call.name.name.as_str() == "chomp" { &text } else { text.trim_start() };
                Ok(Value::known(start.trim_end_matches(is_space)))
            }
            ("sensitive" | "nonsensitive" | "tostring", [argument]) => self.at_depth(argument, depth),
            (name, _) => Err(Unknown { at, message: only_terraform(&format!("the function `{name}`")) }),
        }
    }

    /// Returns the variable that stands for something of Terraform's.
    fn variable(&mut self, path: &str, default: Option<String>) -> Value {
        let name = if let Some(name) = self.names.get(path) {
            name.clone()
        } else {
            let base = variable_name(path);
            let numbered = (2_usize..).map(|number| format!("{base}_{number}"));
            let is_free = |name: &String| !self.names.values().any(|taken| taken == name);
            let name = std::iter::once(base.clone()).chain(numbered).find(is_free).unwrap_or(base);
            self.names.insert(path.to_owned(), name.clone());
            name
        };
        Value::Text(vec![Piece::Variable { name, default }])
    }
}

/// Returns what a traversal of names is called, as `var.name`; `None` if it goes another way.
fn path(traversal: &Traversal) -> Option<String> {
    let Expression::Variable(first) = &traversal.expr else { return None };
    let mut path = first.as_str().to_owned();
    for operator in &traversal.operators {
        path.push('.');
        match operator.value() {
            TraversalOperator::GetAttr(name) => path.push_str(name.as_str()),
            TraversalOperator::LegacyIndex(index) => path.push_str(&index.value().to_string()),
            TraversalOperator::Index(Expression::Number(index)) => path.push_str(&index.value().to_string()),
            TraversalOperator::Index(Expression::String(key)) => path.push_str(key.value()),
            TraversalOperator::Index(_)
            | TraversalOperator::AttrSplat(_)
            | TraversalOperator::FullSplat(_) => {
                return None;
            }
        }
    }
    Some(path)
}

/// Returns the name of an environment variable for a path: `R2_SECRET` for `var.r2_secret`.
pub(super) fn variable_name(path: &str) -> String {
    let rest =
        ["var.", "local.", "data."].iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path);
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = rest.chars().map(letter).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Returns a value as JSON; `None` if not all of it is known.
fn to_json(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => serde_json::from_str(number).ok()?,
        text @ Value::Text(_) => text.as_known()?.into(),
        Value::List(items) => items.iter().map(to_json).collect::<Option<_>>()?,
        Value::Map(members) => {
            let member = |(key, value): &(String, Value)| Some((key.clone(), to_json(value)?));
            serde_json::Value::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
    })
}

fn unknown(expression: &Expression, what: &str) -> Unknown {
    Unknown { at: expression.span().unwrap_or_default(), message: only_terraform(what) }
}

fn only_terraform(what: &str) -> String {
    format!("{what} is for Terraform to work out: write what it comes to")
}
