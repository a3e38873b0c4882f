//! Tables as the API server sends them: `meta.k8s.io/v1`.

use serde_json::{Value, json};

use super::column::{Column, Row, Table};

/// What each row of a sent Table carries of its object: the query parameter `includeObject`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncludeObject {
    /// Only its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
    /// Nothing.
    None,
}

impl IncludeObject {
    /// Reads the query parameter; empty is the default.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" | "Metadata" => Self::Metadata,
            "Object" => Self::Object,
            "None" => Self::None,
            _ => return None,
        })
    }
}

impl Table {
    /// The Table object, as of `resource_version`.
    pub fn to_json(&self, include: IncludeObject, resource_version: &str) -> Value {
        let columns: Vec<Value> = self.columns.iter().map(definition).collect();
        let rows: Vec<Value> = self.rows.iter().map(|row| to_json(row, include)).collect();
        json!({
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": { "resourceVersion": resource_version },
            "columnDefinitions": columns,
            "rows": rows,
        })
    }
}

fn definition(column: &Column) -> Value {
    json!({
        "name": column.name,
        "type": column.type_.as_str(),
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    })
}

fn to_json(row: &Row, include: IncludeObject) -> Value {
    let mut json = json!({ "cells": row.cells });
    match include {
        IncludeObject::Metadata => {
            json["object"] = json!({
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": row.object["metadata"],
            });
        }
        IncludeObject::Object => json["object"] = row.object.clone(),
        IncludeObject::None => json["object"] = Value::Null,
    }
    if let Some(phase) = row.ended {
        let message = match phase {
            "Succeeded" => "The pod has completed successfully.",
            _ => "The pod failed.",
        };
        json["conditions"] = json!([
            { "type": "Completed", "status": "True", "reason": phase, "message": message }
        ]);
    }
    json
}
