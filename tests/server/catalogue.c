/* The tools of five real servers, by name; all other words are made up. */
#include "server.h"

#include <string.h>

/* Names with a space between. */
static const struct {
	const char *name;
	bool open;
	const char *tools;
} catalogues[] = {
	/* Nothing but the plainest, for tests that need no more. */
	{"plain", false, "echo add remove"},
	{"sast-mcp", false,
	 "opengrep_scan bearer_scan graudit_scan bandit_scan "
	 "gosec_scan brakeman_scan eslint_security_scan "
	 "nodejsscan_scan trufflehog_scan gitleaks_scan safety_check "
	 "npm_audit dependency_check checkov_scan tfsec_scan "
	 "trivy_scan nikto_scan nmap_scan sqlmap_scan wpscan_scan "
	 "dirb_scan lynis_audit snyk_scan clamav_scan batch_scan_dirs "
	 "scan_project_structure get_scan_statistics "
	 "get_detailed_scan_statistics sast_server_health "
	 "check_scan_result get_job_status list_scan_jobs "
	 "cancel_scan_job cleanup_scan_jobs "
	 "execute_custom_sast_command get_scan_result_toon "
	 "analyze_scan_results summarize_scan_results "
	 "get_toon_ai_status"},
	{"webscrapertoolkit", false,
	 "scrape_url batch_scrape screenshot save_pdf get_metadata "
	 "get_sitemap crawl_site extract_contacts batch_contacts "
	 "extract_links search_web deep_research fill_form "
	 "extract_tables click_element health_check validate_url "
	 "detect_content_type download_file chunk_text get_token_count "
	 "truncate_text configure_scraper configure_stealth "
	 "configure_runtime reload_runtime_config get_config "
	 "get_host_profiles clear_host_profile set_host_profile "
	 "configure_host_learning configure_retry clear_cache "
	 "get_cache_stats clear_session new_session list_sessions "
	 "get_history clear_history run_playbook start_job poll_job "
	 "cancel_job list_jobs browser_navigate browser_click "
	 "browser_type browser_wait_for browser_press_key "
	 "browser_scroll browser_hover browser_get_interaction_map "
	 "browser_accessibility_tree browser_screenshot "
	 "browser_read_page browser_solve_challenge browser_evaluate "
	 "browser_get_elements browser_close run_challenge_diagnostic "
	 "run_bot_surface_diagnostic run_browser_info_diagnostic_tool"},
	{"workflows-mcp", false,
	 "execute_workflow execute_inline_workflow list_workflows "
	 "get_workflow_info get_workflow_schema validate_workflow_yaml "
	 "reload_workflows resume_workflow get_job_status cancel_job "
	 "list_jobs get_queue_stats memory project_onboard "
	 "project_sync"},
	{"sktime-mcp", true,
	 "query_registry describe_component instantiate list_handles "
	 "release_handle fit predict update get_fitted_params "
	 "call_method evaluate list_available_data load_data_source "
	 "release_data_handle inspect_data split_data transform_data "
	 "save_data plot_series export_code save_model load_model "
	 "check_job_status list_jobs cancel_job run_command"},
	{"cross-llm-mcp", false,
	 "call-chatgpt call-claude call-deepseek call-gemini call-grok "
	 "call-kimi call-perplexity call-mistral call-all-llms "
	 "call-llm get-user-preferences set-user-preferences "
	 "get-models-by-tag get-model-registry-info get-prompt-history "
	 "delete-prompt-entries clear-prompt-history get-prompt-stats "
	 "submit-llm-request-async get-async-job-result "
	 "list-async-jobs cancel-async-job"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What careless readers trip over: schemas with the keys of the messages
 * around them, brackets in strings, escapes, numbers in odd spellings. */
static const char *const schemas[] = {
	"{\"type\":\"object\"}",
	"{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
	"\"id\":{\"type\":\"integer\"}},\"required\":[\"name\"]}",
	"{\"type\":\"object\",\"properties\":{\"method\":{\"enum\":[\"GET\","
	"\"tools/call\"]},\"arguments\":{\"type\":\"array\",\"items\":{}}}}",
	"{\"properties\":{\"result\":{\"anyOf\":[{\"type\":\"string\"},"
	"{\"type\":\"null\"}],\"default\":null}},\"type\":\"object\"}",
	"{\"type\":\"object\",\"properties\":{\"pattern\":{\"pattern\":"
	"\"^[\\\\]}{\\\"]*$\",\"examples\":[\"\\u007b\\/\\ud83d\\ude00\"]}}}",
	"{\"type\":\"object\",\"properties\":{\"limit\":{\"type\":\"number\","
	"\"minimum\":-0.0,\"maximum\":1E+2,\"default\":1.50}}}",
};

bool catalogue_find(const char *name, struct catalogue *c)
{
	char *names, *word;

	for (size_t i = 0; i < COUNT(catalogues); i++) {
		if (strcmp(catalogues[i].name, name) != 0)
			continue;
		*c = (struct catalogue){.name = catalogues[i].name,
					.open = catalogues[i].open};
		names = strdup(catalogues[i].tools);
		word = names ? strtok(names, " ") : NULL;
		for (; word && c->count < TOOLS_MAX; word = strtok(NULL, " "))
			c->tools[c->count++] = word;
		return names;
	}
	return false;
}

/* "cancel_job" is described as "Does: cancel job.", some in more words. */
void catalogue_put_tool(FILE *f, const char *name, size_t index)
{
	fputs("{\"name\":", f);
	put_string(f, name, strlen(name));
	fputs(",\"description\":\"Does: ", f);
	for (const char *c = name; *c; c++)
		putc(*c == '_' || *c == '-' ? ' ' : *c, f);
	fputs(index % 4 == 1 ? ". \\\"Größe\\\" ≥ 1 → 日本\\n\"" : ".\"", f);
	fprintf(f, ",\"inputSchema\":%s", schemas[index % COUNT(schemas)]);
	if (index % 5 == 2)
		fprintf(f,
			",\"annotations\":{\"title\":\"%zu\","
			"\"readOnlyHint\":true}",
			index);
	putc('}', f);
}
