// Maps, and the workflows that they run for each element: read from disk, kept in the source, checked whole.
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::test {
namespace {

constexpr const char* child_text =
    "name='child'\ninputs.file={required=true}\n[[step]]\nid='look'\nagent='claude'\nprompt='{{inputs.file}}'\n";

std::string parent_text(const std::string& map, const std::string& more = "") {
  return "name='parent'\nstate.files={initial=[1]}\n" + more + "[[step]]\nid='each'\nmap={over='/files'," + map + "}\n";
}

std::string says(const std::string& map, const std::string& more = "") {
  return joined(check_text(parent_text(map, more)));
}

// A folder with a parent and its child, and what is said of the parent.
class workflow_maps : public ::testing::Test {
 protected:
  std::string says_of(const std::string& name) const {
    std::string out;
    for (const auto& each : check_workflow(load_workflow(folder_.path(name)), known_names())) {
      out += each.at.file.substr(each.at.file.rfind('/') + 1) + ':' + line_of(each) + '\n';
    }
    return out;
  }

  temporary_folder folder_;
};

TEST(WorkflowMaps, are_of_an_agent_a_function_or_a_workflow) {
  EXPECT_EQ(says("as='file',agent='claude',max_concurrent=4"), "");
  EXPECT_EQ(says("as='file',function='probe.echo',args={text='x'}"), "");
  EXPECT_EQ(says("as='file'"),
            "5:5 error step[0].map: 'map' says nothing of who carries it out | write exactly one of agent, function, "
            "workflow\n");
  EXPECT_EQ(says("as='file',agent='a',function='probe.echo'"),
            "5:5 error step[0].map: 'map' has several kinds of executor | write exactly one of agent, function, "
            "workflow\n");
  EXPECT_EQ(says("as='file',agent='a',args={}"),
            "5:45 error step[0].map.args: 'args' has no use without 'function' | take it out, or name the function\n");
  EXPECT_EQ(says("as='file',function='probe.ech'"),
            "5:39 error step[0].map.function: there is no function 'probe.ech' | did you mean 'probe.echo'?\n");
}

TEST(WorkflowMaps, name_their_element_for_prompts) {
  EXPECT_EQ(joined(check_text(parent_text("as='file',agent='a'") + "prompt='{{file}} {{file.path.0}} {{run.id}}'\n")),
            "");
  EXPECT_EQ(joined(check_text(parent_text("as='file',agent='a'") + "prompt='{{fil}}'\n")),
            "6:9 error step[0].prompt: '{{fil}}' is an unknown name | did you mean '{{file}}'?\n");
  EXPECT_EQ(says("as='state',agent='a'"),
            "5:23 error step[0].map.as: 'as' is 'state', which prompts have another use for\n");
  EXPECT_EQ(says("as='a b',agent='a'"),
            "5:23 error step[0].map.as: 'as' is 'a b', which cannot be the name of an element | a field has 1 to 64 "
            "characters of a-z, A-Z, 0-9, '_' and '-'\n");
}

TEST(WorkflowMaps, go_over_a_list_that_somebody_gives) {
  const auto over = [](const std::string& pointer) {
    return joined(check_text("name='x'\n[[step]]\nid='each'\nmap={over='" + pointer + "',as='f',agent='a'}\n"));
  };
  EXPECT_EQ(over("/each/0"), "");
  EXPECT_EQ(over("/eech"), "4:11 error step[0].map.over: '/eech': there is no field 'eech' | did you mean 'each'?\n");
  EXPECT_EQ(over(""),
            "4:11 error step[0].map.over: 'over' is the whole state, which is no list | name a field: "
            "\"/files\"\n");
}

TEST(WorkflowMaps, have_one_answer_for_each_element) {
  EXPECT_EQ(joined(check_text(parent_text("as='f',agent='a'") + "consensus={}\n")),
            "6:11 error step[0].consensus: 'consensus' has no use: each element has one answer | take it out\n");
}

TEST_F(workflow_maps, run_a_workflow_beside_their_own_file) {
  folder_.write("sub/child.toml", child_text);
  folder_.write("parent.toml", parent_text("as='file',workflow='sub/child.toml'"));
  const auto loaded = load_workflow(folder_.path("parent.toml"));
  ASSERT_NE(loaded.flow, nullptr) << joined(lines_of(loaded.problems));
  EXPECT_EQ(says_of("parent.toml"), "");
  const auto& map = *loaded.flow->steps[0].map;
  EXPECT_EQ(map.workflow_file, "sub/child.toml");
  ASSERT_NE(map.flow, nullptr);
  EXPECT_EQ(map.flow->name, "child");
  EXPECT_EQ(map.flow->source, child_text);
}

TEST_F(workflow_maps, keep_that_workflow_in_their_source) {
  folder_.write("child.toml",
                std::string{child_text} + "next='more'\n[[step]]\nid='more'\nagent='a'\nprompt_file='m.md'\n");
  folder_.write("m.md", "More of {{state.look}}\n");
  folder_.write("parent.toml", parent_text("as='file',workflow='child.toml'"));
  const auto loaded = load_workflow(folder_.path("parent.toml"));
  ASSERT_NE(loaded.flow, nullptr) << joined(lines_of(loaded.problems));
  const auto again = parse_workflow(loaded.flow->source, "stored", "");
  ASSERT_NE(again.flow, nullptr) << joined(lines_of(again.problems));
  EXPECT_EQ(again.flow->source, loaded.flow->source);
  EXPECT_EQ(again.flow->hash, loaded.flow->hash);
  EXPECT_EQ(again.flow->steps[0].map->flow->hash, loaded.flow->steps[0].map->flow->hash);
  EXPECT_EQ(again.flow->steps[0].map->flow->steps[1].prompt, "More of {{state.look}}\n");

  folder_.write("m.md", "Less\n");
  EXPECT_NE(load_workflow(folder_.path("parent.toml")).flow->hash, loaded.flow->hash);
}

TEST_F(workflow_maps, read_nothing_from_disk_where_the_source_has_the_table) {
  folder_.write("child.toml", child_text);
  folder_.write("parent.toml",
                parent_text("as='file',workflow='child.toml'") + "[workflow_files]\n'other.toml'='name=1'\n");
  EXPECT_EQ(says_of("parent.toml"),
            "parent.toml:5:39 error step[0].map.workflow: 'workflow' names 'child.toml', which is not in "
            "[workflow_files] | with that table in the file, no workflow is read from disk\n"
            "parent.toml:7:1 error workflow_files.other.toml: no map has workflow = \"other.toml\" | take it out\n");
}

TEST_F(workflow_maps, tell_what_is_wrong_in_the_file_where_it_is) {
  folder_.write("child.toml", "name='child'\n[[step]]\nid='a'\nagent='cluade'\nprompt='{{inputs.x}}'\nnxt='b'\n");
  folder_.write("parent.toml", parent_text("as='file',workflow='child.toml'") + "timeout='x'\n");
  EXPECT_EQ(
      says_of("parent.toml"),
      "parent.toml:6:9 error step[0].timeout: 'timeout' is not a duration: \"x\" | write a whole number and a unit: "
      "\"250ms\", \"5s\", \"10m\", \"24h\", \"90d\"\n"
      "child.toml:4:7 error step[0].map.workflow.step[0].agent: there is no agent 'cluade' | did you mean "
      "'claude'?\n"
      "child.toml:5:9 error step[0].map.workflow.step[0].prompt: '{{inputs.x}}': there is no input 'x' | declare "
      "it: [inputs.x]\n"
      "child.toml:6:1 error step[0].map.workflow.step[0].nxt: unknown key 'nxt' in 'step[0]' | did you mean "
      "'next'?\n");
  EXPECT_EQ(load_workflow(folder_.path("parent.toml")).flow, nullptr);
}

TEST_F(workflow_maps, tell_it_once_where_two_maps_run_one_workflow) {
  folder_.write("child.toml", "name='child'\ninputs.f={}\n[[step]]\nid='a'\nagent='cluade'\n");
  folder_.write(
      "parent.toml",
      "name='parent'\nstate.l={initial=[]}\n[[step]]\nid='p'\nnext='q'\nmap={over='/l',as='f',workflow='child.toml'}"
      "\n[[step]]\nid='q'\nmap={over='/l',as='f',workflow='child.toml'}\n");
  EXPECT_EQ(says_of("parent.toml"),
            "child.toml:5:7 error step[0].map.workflow.step[0].agent: there is no agent 'cluade' | did you mean "
            "'claude'?\n");
}

TEST_F(workflow_maps, refuse_a_file_that_is_not_there_or_is_no_workflow) {
  folder_.write("parent.toml", parent_text("as='file',workflow='child.toml'"));
  EXPECT_EQ(says_of("parent.toml"),
            "parent.toml:5:39 error step[0].map.workflow: 'workflow' names '" + folder_.path("child.toml") +
                "', which cannot be read: No such file or directory\n");
  folder_.write("child.toml", "name=\n");
  EXPECT_NE(says_of("parent.toml").find("error step[0].map.workflow: this is not TOML"), std::string::npos)
      << says_of("parent.toml");
}

TEST_F(workflow_maps, refuse_a_file_that_leads_back_to_itself) {
  folder_.write("a.toml", parent_text("as='f',workflow='sub/b.toml'"));
  folder_.write("sub/b.toml", parent_text("as='f',workflow='../a.toml'", "inputs.f={}\n"));
  EXPECT_EQ(says_of("a.toml"),
            "b.toml:6:36 error step[0].map.workflow.step[0].map.workflow: 'workflow' leads back to itself: a.toml -> "
            "b.toml -> a.toml | a loop belongs into one workflow; there it has a limit\n");
}

TEST_F(workflow_maps, lead_at_most_eight_deep) {
  for (int i = 0; i < 10; ++i) {
    const auto next = "as='f',workflow='w" + std::to_string(i + 1) + ".toml'";
    folder_.write("w" + std::to_string(i) + ".toml", parent_text(next, "inputs.f={}\n"));
  }
  folder_.write("w10.toml", child_text);
  EXPECT_NE(says_of("w1.toml").find("w9.toml:6:36 error "), std::string::npos) << says_of("w1.toml");
  EXPECT_NE(says_of("w1.toml").find("'workflow' leads too deep: w1.toml -> "), std::string::npos);
  folder_.write("w9.toml", "name='last'\ninputs.f={}\n[[step]]\nid='s'\nagent='a'\n");
  EXPECT_EQ(says_of("w1.toml"), "");
  const auto loaded = load_workflow(folder_.path("w1.toml"));
  const auto again = parse_workflow(loaded.flow->source, "stored", "");
  ASSERT_NE(again.flow, nullptr) << joined(lines_of(again.problems));
  EXPECT_EQ(again.flow->hash, loaded.flow->hash);
}

TEST_F(workflow_maps, give_a_child_its_element_and_their_own_inputs) {
  folder_.write("child.toml",
                "name='child'\ninputs={file={required=true},topic={required=true},note={}}\n[[step]]\nid='s'\n"
                "agent='a'\n");
  const auto with = [&](const std::string& as, const std::string& inputs) {
    folder_.write("parent.toml", parent_text("as='" + as + "',workflow='child.toml'", inputs));
    return says_of("parent.toml");
  };
  EXPECT_EQ(with("file", "inputs.topic={required=true}\n"), "");
  EXPECT_EQ(with("file", "inputs.topic={default=1}\n"), "");
  EXPECT_EQ(
      with("file", ""),
      "parent.toml:5:39 error step[0].map.workflow: workflow 'child' requires the input 'topic', which is neither "
      "the element nor an input here | write as = \"topic\", or declare [inputs.topic]\n");
  EXPECT_EQ(with("file", "inputs.topic={}\n"),
            "parent.toml:6:39 warning step[0].map.workflow: workflow 'child' requires the input 'topic', and a run may "
            "be without it | write required = true or a default in [inputs.topic]\n");
  EXPECT_EQ(
      with("item", "inputs={topic={default=1},file={default=1}}\n"),
      "parent.toml:6:39 warning step[0].map.workflow: workflow 'child' has no input 'item', and so does not get to "
      "see the element | declare [inputs.item] there\n");
}

TEST_F(workflow_maps, have_no_prompt_beside_a_workflow) {
  folder_.write("child.toml", child_text);
  folder_.write("parent.toml", parent_text("as='file',workflow='child.toml'") + "prompt='x'\n");
  EXPECT_EQ(
      says_of("parent.toml"),
      "parent.toml:6:8 error step[0].prompt: 'prompt' has no use: the steps of the workflow have their own | take "
      "it out\n");
}

}  // namespace
}  // namespace troupe::test
