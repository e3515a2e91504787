//! The example pipelines do what their first lines say.
