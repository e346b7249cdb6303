// Tools that tell on stderr what they were called with, served by rmcp.

use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{transport, ErrorData, ServerHandler, ServiceExt};

struct Server;

impl ServerHandler for Server {
    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let value = &call.arguments.unwrap_or_default()["value"];
        match value.as_f64() {
            Some(number) => eprintln!("ran {} {number}", call.name),
            None => eprintln!("ran {} {value}", call.name),
        }
        Ok(CallToolResult::success(vec![]).into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let session = Server.serve(transport::stdio()).await.unwrap();
    session.waiting().await.unwrap();
}
