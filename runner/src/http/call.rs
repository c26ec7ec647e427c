//! One call of the API: what answers it, whom, and what its documentation says.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, delete, get, patch, post, put},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    App,
    access::{Authority, Caller},
};

/// What a body is made of.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A call.
pub(super) struct Call {
    /// In lower case.
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    handler: MethodRouter<Arc<App>>,
    /// What it takes of whoever makes it: the most there is, unless its row says less.
    pub(super) authority: Authority,
    /// What it is for, in a few words; the title of its documentation.
    pub(super) summary: &'static str,
    /// What stands behind the question mark, as the properties of an object.
    pub(super) query: Option<SchemaOf>,
    /// Headers of the request that it looks at, and what they mean.
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// The kind of body that it takes.
    pub(super) body: Option<(&'static str, SchemaOf)>,
    /// What it answers where all is well.
    pub(super) answer: Answer,
    /// With which statuses it answers problems, beside those that every call may answer with.
    pub(super) problems: Vec<StatusCode>,
}

/// What is answered where all is well.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The kinds of body, and what each is made of, as far as a schema says that.
    pub(super) bodies: Vec<(&'static str, Option<SchemaOf>)>,
    /// Headers of the answer, and what they mean.
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

pub(super) const JSON: &str = "application/json";

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The schema itself, and not a reference to it.
fn properties_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

macro_rules! methods {
    ($($method:ident),*) => { $(
        /// A call by that method.
        pub(super) fn $method<H, T>(path: &'static str, handler: H, summary: &'static str) -> Self
        where
            H: axum::handler::Handler<T, Arc<App>>,
            T: 'static,
        {
            Self::new(stringify!($method), path, $method(handler), summary)
        }
    )* };
}

impl Call {
    methods!(get, post, put, patch, delete);

    fn new(
        method: &'static str,
        path: &'static str,
        handler: MethodRouter<Arc<App>>,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            handler,
            authority: Authority::Changes,
            summary,
            query: None,
            headers: Vec::new(),
            body: None,
            answer: Answer {
                status: StatusCode::NO_CONTENT,
                bodies: Vec::new(),
                headers: Vec::new(),
            },
            problems: Vec::new(),
        }
    }

    /// What it takes of whoever makes it.
    pub(super) fn takes(mut self, authority: Authority) -> Self {
        self.authority = authority;
        self
    }

    /// What stands behind the question mark.
    pub(super) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(properties_of::<T>);
        self
    }

    /// A header of the request, and what it means.
    pub(super) fn header(mut self, name: &'static str, meaning: &'static str) -> Self {
        self.headers.push((name, meaning));
        self
    }

    /// A JSON body.
    pub(super) fn body(mut self, kind: &'static str, schema: SchemaOf) -> Self {
        self.body = Some((kind, schema));
        let wrong = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ];
        self.problems.extend(wrong);
        self
    }

    /// An answer in JSON.
    pub(super) fn answers<T: JsonSchema>(self, status: StatusCode) -> Self {
        self.answers_with(status, JSON, Some(schema_of::<T>))
    }

    /// An answer of that kind.
    pub(super) fn answers_with(
        mut self,
        status: StatusCode,
        kind: &'static str,
        schema: Option<SchemaOf>,
    ) -> Self {
        self.answer.status = status;
        self.answer.bodies.push((kind, schema));
        self
    }

    /// An answer without a body.
    pub(super) fn answers_nothing(mut self, status: StatusCode) -> Self {
        self.answer.status = status;
        self
    }

    /// A header of the answer, and what it means.
    pub(super) fn answers_header(mut self, name: &'static str, meaning: &'static str) -> Self {
        self.answer.headers.push((name, meaning));
        self
    }

    /// The statuses of problems.
    pub(super) fn fails_with(mut self, problems: &[StatusCode]) -> Self {
        self.problems.extend(problems);
        self
    }
}

/// What answers `calls`.
pub(super) fn router(calls: Vec<Call>) -> Router<Arc<App>> {
    calls.into_iter().fold(Router::new(), |router, call| {
        let check = middleware::from_fn_with_state(call.authority, check);
        router.route(call.path, call.handler.route_layer(check))
    })
}

/// Refuses whoever has not the authority that a call takes, before anything else of the request is looked at: a body may be
/// long, and may never come.
async fn check(
    State(authority): State<Authority>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    match caller.has(authority) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
