"""Every conformance case of the protocol reference (its section 8), and the tests that show it: the one place where that is written down.

A case stands here with its own words in short and the tests that assert them; a test that is renamed or removed is missed. Each of the
tests runs against real sockets unless only the bytes are in question. Beside what a case says, records and bills are compared by the
fixtures of those tests (tests/clients/billing.py, tests/end_to_end, tests/ledger).
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CASES = 105

DOOR = "routes/test_conformance.py"
SAID = "end_to_end/test_conformance.py"
PAIRS = "clients/test_every_pair.py"
SOUND = "end_to_end/test_sound_and_pictures.py"
COMMANDS = "clients/test_command_lines.py"

SHOWN: dict[int, tuple[str, ...]] = {
    # Routing and auth
    1: (f"{DOOR}::test_case_1_bearer_lists_in_openais_shape",),
    2: (f"{DOOR}::test_case_2_googles_header_lists_in_geminis_shape",),
    3: (f"{DOOR}::test_case_3_anthropics_header_lists_in_anthropics_shape",),
    4: (f"{DOOR}::test_case_4_a_verb_is_geminis_even_below_v1",),
    5: (f"{DOOR}::test_cases_5_and_6_doubled_prefixes_give_the_same_result",),
    6: (
        f"{DOOR}::test_cases_5_and_6_doubled_prefixes_give_the_same_result",
        "clients/test_google_genai.py::test_every_base_url_that_people_write_works",
    ),
    7: (
        f"{DOOR}::test_case_7_a_key_in_the_query_opens_and_is_not_in_the_log",
        "clients/test_google_genai.py::test_the_key_in_the_query_reaches_neither_log_nor_upstream",
    ),
    8: (f"{DOOR}::test_case_8_bearer_opens_v1beta",),
    9: (f"{DOOR}::test_case_9_no_credential_is_a_401_in_each_familys_shape",),
    10: (
        f"{DOOR}::test_case_10_a_disabled_or_expired_key_is_a_401_that_never_repeats_it",
        "end_to_end/test_bad_input.py::test_every_credential_that_is_none_of_ours_is_a_401",
    ),
    11: (f"{DOOR}::test_case_11_a_group_without_images_gets_404_and_no_upstream_is_called",),
    12: (f"{DOOR}::test_case_12_a_model_outside_the_group_is_a_404",),
    13: (f"{DOOR}::test_case_13_an_unknown_route_is_a_404",),
    14: (f"{DOOR}::test_case_14_a_refused_route_names_laidian",),
    15: (f"{DOOR}::test_case_15_a_preflight_from_a_page_is_a_204_that_allows_what_it_asks",),
    16: (f"{DOOR}::test_case_16_a_slash_in_a_models_name_is_found_or_a_clean_404",),
    # Chat
    17: ("end_to_end/test_bytes.py::test_a_plain_body_arrives_to_the_byte",),
    18: (
        "end_to_end/test_bytes.py::test_a_stream_differs_only_by_the_usage_switch",
        "clients/test_openai_python.py::test_a_chat_stream_says_the_usage_only_to_who_asks",
    ),
    19: ("end_to_end/test_openai_sdk.py::test_a_client_that_asks_for_usage_gets_exactly_one_usage_chunk",),
    20: (f"{PAIRS}::test_an_answer_without_usage_is_estimated_and_never_free",),
    21: (
        f"{PAIRS}::test_quirks_of_the_transport_change_nothing",
        "protocol/test_openai_chat.py::test_usage_on_the_finish_chunk_stays_and_is_counted_once",
    ),
    22: (
        f"{PAIRS}::test_quirks_of_the_transport_change_nothing",
        "protocol/test_openai_chat.py::test_every_cut_of_a_stream_gives_the_client_the_same_bytes",
    ),
    23: (
        f"{PAIRS}::test_quirks_of_the_transport_change_nothing",
        "protocol/test_events.py::test_every_cut_of_a_stream_gives_the_same_events",
    ),
    24: (
        f"{PAIRS}::test_quirks_of_the_transport_change_nothing",
        "protocol/test_events.py::test_all_line_ends_mean_the_same_events",
    ),
    25: (f"{PAIRS}::test_quirks_of_the_transport_change_nothing",),
    26: (f"{SAID}::test_case_26_a_line_of_five_megabytes_comes_through_as_it_came",),
    27: (
        f"{SAID}::test_case_27_a_line_separator_inside_a_text_ends_no_line",
        "protocol/test_events.py::test_a_character_is_not_taken_for_a_line_end",
    ),
    28: (
        "protocol/test_openai_chat_codec.py::test_a_stream_says_the_role_once_and_first_and_the_usage_last",
        "protocol/test_openai_chat_codec.py::test_an_id_and_a_name_in_every_delta_start_one_call",
    ),
    29: (
        "end_to_end/test_openai_sdk.py::test_parallel_tool_calls_arrive_whole_in_a_stream",
        f"{PAIRS}::test_parallel_tools_and_their_results",
    ),
    30: ("end_to_end/test_openai_sdk.py::test_several_choices_in_a_stream",),
    31: (
        "end_to_end/test_streaming.py::test_a_break_in_the_middle_becomes_an_error_event_and_a_record",
        f"{PAIRS}::test_an_error_in_the_middle_of_a_stream",
    ),
    32: (f"{SAID}::test_case_32_a_page_of_html_becomes_an_error_of_ours",),
    33: (f"{SAID}::test_case_33_an_error_inside_a_200_is_an_error",),
    34: ("end_to_end/test_routing.py::test_a_failing_upstream_is_replaced_before_the_client_notices",),
    35: (
        "end_to_end/test_streaming.py::test_a_break_in_the_middle_becomes_an_error_event_and_a_record",
        "clients/test_openai_python.py::test_a_stream_that_breaks_off_is_never_a_short_answer",
    ),
    36: (
        "end_to_end/test_streaming.py::test_a_hang_up_reaches_the_upstream_long_before_its_end",
        "ledger/test_hang_ups.py::test_a_stream_that_is_left_costs_what_was_made_until_then",
        "ledger/test_hang_ups.py::test_a_stream_that_is_drained_costs_exactly_what_the_provider_bills",
    ),
    37: (
        "end_to_end/test_streaming.py::test_a_silent_upstream_is_covered_by_comments_and_the_answer_still_comes",
    ),
    38: (f"{SAID}::test_case_38_thirty_megabytes_of_pictures_are_taken",),
    39: (
        "end_to_end/test_bad_input.py::test_a_stated_length_over_the_limit_is_refused_before_the_body_is_sent",
    ),
    40: ("end_to_end/test_bad_input.py::test_a_bad_body_is_a_clear_4xx",),
    41: ("end_to_end/test_bad_input.py::test_a_compressed_body_is_refused",),
    42: (f"{SAID}::test_case_42_fields_that_nobody_knows_reach_the_upstream_as_they_came",),
    43: ("end_to_end/test_forms.py::test_curl_with_expect_100_continue_is_let_on",),
    # Responses
    44: (f"{SAID}::test_case_44_a_response_passes_whole_and_what_it_wrote_into_the_cache_is_priced",),
    45: (f"{SAID}::test_case_45_a_stream_of_events_passes_to_the_byte",),
    46: (f"{DOOR}::test_case_46_a_websocket_on_responses_is_a_426",),
    47: (f"{SAID}::test_case_47_a_stream_that_just_ends_is_a_response_that_failed",),
    48: (
        f"{SAID}::test_case_48_a_quota_that_is_used_up_is_a_429_that_no_client_repeats",
        f"{COMMANDS}::test_codex_asks_once_when_the_quota_is_used_up",
    ),
    49: (
        "affinity/test_responses.py::test_case_49_the_owner_gets_a_response_from_the_credential_that_made_it",
    ),
    50: (
        "affinity/test_responses.py::test_cases_50_and_51_foreign_and_unknown_ids_are_the_same_404_and_no_upstream_hears_of_them",
    ),
    51: (
        "affinity/test_responses.py::test_cases_50_and_51_foreign_and_unknown_ids_are_the_same_404_and_no_upstream_hears_of_them",
    ),
    52: (
        "affinity/test_responses.py::test_case_52_a_holder_that_is_out_of_service_is_a_503_with_its_reason_and_never_another_upstream",
        "affinity/test_responses.py::test_case_52_a_holder_that_rests_is_a_503_that_says_until_when",
    ),
    53: (
        "affinity/test_background.py::test_case_53_a_stream_that_was_left_goes_on_behind_the_last_event_that_was_seen",
        "affinity/test_responses.py::test_case_53_a_response_is_played_again_byte_for_byte_from_where_it_was_left",
    ),
    54: (f"{SAID}::test_case_54_three_searches_cost_three_cents",),
    55: (f"{SAID}::test_case_55_the_tier_of_the_answer_is_the_one_that_is_charged",),
    56: (f"{SOUND}::test_case_56_compaction_is_charged_and_counting_is_free",),
    57: (
        "translation/test_special_tools.py::test_codex_gets_its_namespaces_and_custom_tools_back",
        "translation/test_special_tools.py::test_a_web_search_that_an_upstream_cannot_make_is_reported",
        f"{COMMANDS}::test_codex_runs_a_tool_and_sends_its_result",
    ),
    58: (
        "protocol/test_openai_responses_sdk.py::test_the_sdks_accumulator_accepts_the_stream",
        "clients/test_openai_python.py::test_responses_stream_in_the_order_the_sdk_enforces",
    ),
    # Images and audio
    59: ("end_to_end/test_other_operations.py::test_pictures_are_billed_by_their_token_classes",),
    60: (f"{SOUND}::test_case_60_partial_pictures_come_while_the_last_one_is_still_made",),
    61: (f"{SOUND}::test_cases_61_and_62_edits_with_one_picture_and_with_two_and_a_mask",),
    62: (f"{SOUND}::test_cases_61_and_62_edits_with_one_picture_and_with_two_and_a_mask",),
    63: (f"{SOUND}::test_case_63_the_model_may_come_after_the_file",),
    64: (f"{SOUND}::test_case_64_json_edits_pass_as_they_came",),
    65: (f"{SOUND}::test_case_65_three_pictures_cost_what_was_used",),
    66: (f"{SOUND}::test_case_66_a_picture_that_is_refused_for_what_it_shows_is_not_charged",),
    67: (f"{DOOR}::test_case_67_image_variations_are_retired",),
    68: (f"{SOUND}::test_case_68_a_chat_with_an_image_model_is_told_where_to_go",),
    69: (f"{SOUND}::test_case_69_speech_keeps_its_type_and_costs_its_characters",),
    70: (f"{SOUND}::test_case_70_what_is_heard_is_billed_by_the_second",),
    71: (f"{SOUND}::test_case_71_embeddings_as_base64_as_numbers_and_of_token_ids",),
    # Gemini
    72: (
        "protocol/test_gemini.py::test_comments_and_done_never_reach_a_client_that_breaks_on_them",
        "clients/test_google_genai.py::test_it_streams",
        f"{COMMANDS}::test_the_javascript_sdks_have_a_whole_conversation",
        f"{COMMANDS}::test_gemini_cli_answers_at_either_base_url",
    ),
    73: (
        f"{DOOR}::test_the_query_reaches_the_dialect_whatever_the_prefix",
        "protocol/test_gemini.py::test_an_array_is_valid_json_whose_elements_come_one_by_one_and_byte_exact",
    ),
    74: ("protocol/test_gemini.py::test_a_silent_stream_gets_blank_lines_and_an_error_is_one_data_line",),
    75: (
        "protocol/test_gemini.py::test_a_silent_stream_gets_blank_lines_and_an_error_is_one_data_line",
        "clients/test_google_genai.py::test_a_stream_that_breaks_off_is_never_a_short_answer",
    ),
    76: (
        f"{SAID}::test_case_76_thoughts_are_output_tools_are_input_and_the_last_chunk_wins",
        "protocol/test_gemini_usage.py::test_thoughts_and_tool_results_stand_beside_and_cached_tokens_inside",
    ),
    77: ("clients/test_google_genai.py::test_counting_tokens_is_free",),
    78: ("clients/test_google_genai.py::test_embeddings_are_metered",),
    79: (
        "affinity/test_gemini_files.py::test_case_79_an_upload_is_begun_with_a_key_and_carried_on_without_one",
        "affinity/test_gemini_files.py::test_a_request_that_names_a_file_goes_to_its_holder_and_nobody_elses_gets_through",
    ),
    80: (
        "clients/test_google_genai.py::test_files_are_uploaded_asked_about_and_deleted",
        "clients/test_google_genai.py::test_it_answers_with_a_system_prompt",
    ),
    81: (
        "protocol/test_gemini.py::test_a_quota_that_is_used_up_is_final_for_gemini_cli_and_a_rate_limit_names_its_wait",
        f"{COMMANDS}::test_gemini_cli_asks_once_when_the_quota_is_used_up",
    ),
    82: (
        "affinity/test_continuations.py::test_case_82_what_goes_on_goes_to_the_upstream_that_began_and_is_a_record_of_its_own",
        "affinity/test_continuations.py::test_the_sdk_goes_on_by_itself",
    ),
    83: (
        "protocol/test_gemini.py::test_a_blocked_prompt_is_an_answer",
        "protocol/test_gemini_stream.py::test_a_blocked_prompt_is_a_filtered_answer",
    ),
    84: (
        "translation/test_turns.py::test_geminis_thought_signature_survives_the_client",
        "protocol/test_gemini_upstream.py::test_two_turns_with_parallel_calls_are_accepted_with_and_without_signatures",
        f"{PAIRS}::test_parallel_tools_and_their_results",
    ),
    85: (f"{DOOR}::test_case_85_geminis_live_path_is_a_426",),
    # Anthropic
    86: (
        f"{COMMANDS}::test_claude_code_answers",
        "clients/test_anthropic_python.py::test_the_beta_client_works_and_its_flags_reach_anthropic_alone",
    ),
    87: (
        "clients/test_anthropic_python.py::test_the_older_key_header_works_too",
        f"{SAID}::test_case_88_what_is_written_for_minutes_and_for_an_hour_has_two_prices_and_totals_are_not_added_up",
    ),
    88: (
        f"{SAID}::test_case_88_what_is_written_for_minutes_and_for_an_hour_has_two_prices_and_totals_are_not_added_up",
    ),
    89: (
        "translation/test_answers.py::test_each_client_gets_the_framing_that_its_sdk_wants",
        "clients/test_anthropic_python.py::test_a_stream_that_breaks_off_is_never_a_short_answer",
    ),
    90: ("clients/test_anthropic_python.py::test_counting_tokens_is_free",),
    91: (
        f"{SAID}::test_case_91_a_quota_that_is_used_up_is_told_so_that_claude_code_stops",
        f"{COMMANDS}::test_claude_code_asks_once_when_the_quota_is_used_up",
    ),
    # Quota, limits, upstream health
    92: ("ledger/test_overspend.py::test_two_hundred_at_once_spend_no_more_than_there_is",),
    93: ("ledger/test_upstream_faults.py::test_what_was_never_answered_is_free",),
    94: (f"{SAID}::test_case_94_a_rate_limit_says_how_long_to_wait_in_both_headers",),
    95: (
        f"{SAID}::test_case_95_an_upstream_whose_credential_is_refused_leaves_the_list_of_models",
        "end_to_end/test_routing.py::test_an_upstreams_401_is_never_the_clients",
    ),
    96: (
        f"{SAID}::test_case_96_the_operators_empty_balance_is_never_told_as_the_keys",
        "end_to_end/test_routing.py::test_a_failing_upstream_is_replaced_before_the_client_notices",
    ),
    97: (f"{SAID}::test_case_97_one_token_over_the_long_context_doubles_the_whole_request",),
    98: (f"{SAID}::test_case_98_a_model_without_a_price_is_refused_and_no_upstream_hears_of_it",),
    99: (
        "holder/test_receipt.py::test_the_lines_of_a_receipt_add_up_to_what_the_ledger_charged",
        "clients/test_openai_python.py::test_chat_answers_with_a_system_prompt",
    ),
    100: (
        "ledger/test_lifecycle.py::test_a_request_that_a_killed_server_had_in_flight_is_settled_before_the_next_serves",
        "affinity/test_background.py::test_whatever_becomes_of_the_process_the_next_one_settles_it_exactly",
    ),
    101: (
        "domain/test_price_book.py::test_a_dated_change_of_price_holds_from_its_day_on",
        "ledger/test_ledger.py::test_a_late_request_of_yesterday_finds_what_yesterday_has_left",
    ),
    102: (
        f"{SAID}::test_case_102_a_line_break_in_a_model_is_a_400",
        f"{SAID}::test_case_102_a_line_break_in_a_key_opens_nothing",
    ),
    103: (f"{SAID}::test_case_103_an_address_in_a_request_is_never_fetched_from_here",),
    104: (f"{SAID}::test_case_104_two_connections_that_are_kept_open_do_not_mix",),
    105: (
        f"{SAID}::test_case_105_every_answer_has_an_id_of_its_own_and_what_was_accepted_has_it_in_its_record",
    ),
}

NOT_AS_WRITTEN: dict[int, str] = {
    36: "by tokens and not by the second, since no test here is timed: of an answer of 50 s less than half is made",
    37: "the wait is shortened by configuration: a test that takes 90 seconds would be run by nobody",
    94: "that openai-python then sleeps as long as it is told is its own behaviour, and a minute of a test",
    103: "nothing is fetched at all, so there is no private address to refuse",
}
"""What of a case is shown otherwise, and why."""


@cache
def names(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text())
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_case_is_here():
    assert sorted(SHOWN) == list(range(1, CASES + 1))
    assert all(SHOWN.values())
    assert set(NOT_AS_WRITTEN) <= set(SHOWN)


@pytest.mark.parametrize("case", SHOWN)
def test_every_test_of_a_case_exists(case: int):
    for node in SHOWN[case]:
        path, _, name = node.partition("::")
        assert name in names(path), node


def test_a_test_that_is_named_for_a_case_is_listed_for_it():
    listed = {node.partition("::")[2] for nodes in SHOWN.values() for node in nodes}
    named = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in names(str(path.relative_to(TESTS)))
        if name.startswith(("test_case_", "test_cases_"))
    }
    assert named <= listed
