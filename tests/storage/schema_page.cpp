#include "tests/storage/schema_page.hpp"

#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace troupe {
namespace {

constexpr std::string_view title =
    "# Database schema\n\n"
    "<!-- Tables, columns, types, keys and indexes are made from a database; the words are kept, and written here by\n"
    "     hand. A test compares. To write it anew: TROUPE_UPDATE=1 ./dev test -R documents -->\n\n";
constexpr std::string_view version_line = "This is version ";
constexpr std::string_view section_mark = "### `";
constexpr std::string_view columns_head = "| column | type | meaning |\n|---|---|---|\n";
constexpr std::string_view indexes_head = "| index | on | for |\n|---|---|---|\n";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string{text}};
  for (std::string line; std::getline(in, line);) {
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \n");
  return first == std::string::npos ? std::string{} : text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

std::string code(std::string_view text) { return '`' + std::string{text} + '`'; }

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const auto& part : parts) {
    out += (out.empty() ? "" : std::string{between}) + part;
  }
  return out;
}

std::string codes(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  std::ranges::transform(names, std::back_inserter(all), code);
  return joined(all, ", ");
}

// --- The words of a page that is there -------------------------------------------------------------------------------

struct kept_words {
  std::string head;                             // before the first section
  std::map<std::string, std::string> before;    // a section: what stands above its title
  std::map<std::string, std::string> about;     // a section: what stands below its title
  std::map<std::string, std::string> meanings;  // `runs`, `runs.state`, or an index
  std::string foot;
};

class page_reader {
 public:
  kept_words read(std::string_view page) {
    bool in_comment = false;
    for (const auto& line : lines_of(page)) {
      in_comment = in_comment || line.starts_with("<!--");
      if (!in_comment) {
        read_line(line);
      }
      in_comment = in_comment && line.find("-->") == std::string::npos;
    }
    (section_.empty() ? out_.head : out_.foot) = trimmed(loose_);
    return std::move(out_);
  }

 private:
  void read_line(const std::string& line) {
    const bool is_made = line.starts_with("# ") || line.starts_with(version_line) || line.starts_with("Key: ") ||
                         line.starts_with("Refers to ") || line.starts_with("|---");
    if (line.starts_with(section_mark)) {
      begin_section(line.substr(section_mark.size(), line.find('`', section_mark.size()) - section_mark.size()));
    } else if (line.starts_with("| `")) {
      read_row(line);
    } else if (line.starts_with("| ")) {
      end_about();
      of_columns_ = columns_head.starts_with(line);
    } else if (!is_made) {
      loose_ += line + '\n';
    }
  }

  void begin_section(const std::string& name) {
    (section_.empty() ? out_.head : out_.before[name]) = trimmed(loose_);
    loose_.clear();
    section_ = name;
    out_.meanings[name] = "section";
    in_about_ = true;
  }

  // The first table of a section ends what is said about it; what follows the last one belongs to the next section.
  void end_about() {
    if (in_about_) {
      out_.about[section_] = trimmed(loose_);
      loose_.clear();
      in_about_ = false;
    }
  }

  void read_row(const std::string& line) {
    const auto name_end = line.find('`', 3);
    const auto cut = line.rfind(" | ", line.size() - 3);
    const std::string name = line.substr(3, name_end - 3);
    out_.meanings[of_columns_ ? section_ + '.' + name : name] = trimmed(line.substr(cut + 3, line.size() - cut - 5));
  }

  kept_words out_;
  std::string section_;
  std::string loose_;
  bool in_about_ = false;
  bool of_columns_ = true;
};

// --- The facts of a database -----------------------------------------------------------------------------------------

class page_writer {
 public:
  page_writer(SQLite::Database& file, kept_words words) : file_(file), words_(std::move(words)) {}

  schema_page write() {
    page_.text = std::string{title} + std::string{version_line} + file_.execAndGet("PRAGMA user_version").getString() +
                 " of the schema (`PRAGMA user_version`).\n";
    add_words(words_.head);
    SQLite::Statement row{file_,
                          "SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE type IN ('table', 'view') AND"
                          " name NOT LIKE 'sqlite_%' ORDER BY rowid"};
    while (row.executeStep()) {
      sql_ = row.getColumn(2).getString();
      write_section(row.getColumn(1).getString(), row.getColumn(0).getString() == "view");
    }
    add_words(words_.foot);
    for (const auto& [name, meaning] : words_.meanings) {
      if (!used_.contains(name)) {
        page_.unknown.push_back(name);
      }
    }
    return std::move(page_);
  }

 private:
  void add_words(const std::string& words) {
    if (!words.empty()) {
      page_.text += '\n' + words + '\n';
    }
  }

  std::string meaning_of(const std::string& name) {
    used_.insert(name);
    const auto found = words_.meanings.find(name);
    if (found == words_.meanings.end() || found->second.empty()) {
      page_.missing.push_back(name);
      return "";
    }
    return found->second;
  }

  void write_section(const std::string& name, bool is_view) {
    add_words(words_.before[name]);
    page_.text += '\n' + std::string{section_mark} + name + (is_view ? "` (view)\n" : "`\n");
    used_.insert(name);
    if (words_.about[name].empty()) {
      page_.missing.push_back(name);
    }
    add_words(words_.about[name]);
    write_columns(name, is_view);
    if (!is_view) {
      write_keys(name);
      write_indexes(name);
    }
  }

  void write_columns(const std::string& table, bool is_view) {
    page_.text += '\n' + std::string{columns_head};
    SQLite::Statement row{file_, "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?)"};
    row.bind(1, table);
    while (row.executeStep()) {
      const auto name = row.getColumn(0).getString();
      std::string type = row.getColumn(1).getString();
      const bool may_be_null = row.getColumn(2).getInt() == 0 && row.getColumn(4).getInt() == 0;
      type += may_be_null && !is_view ? " or null" : "";
      type += row.isColumnNull(3) ? "" : ", default " + row.getColumn(3).getString();
      type += values_of(name);
      page_.text += "| " + code(name) + " | " + type + " | " + meaning_of(table + '.' + name) + " |\n";
    }
  }

  // What CHECK (name IN (...)) allows.
  std::string values_of(const std::string& name) const {
    const std::string mark = "CHECK (" + name + " IN (";
    const auto at = sql_.find(mark);
    if (at == std::string::npos) {
      return "";
    }
    const auto begin = at + mark.size();
    std::vector<std::string> values;
    std::istringstream in{sql_.substr(begin, sql_.find(')', begin) - begin)};
    for (std::string value; std::getline(in, value, ',');) {
      const auto bare = trimmed(value);
      values.push_back(bare.starts_with('\'') ? bare.substr(1, bare.size() - 2) : bare);
    }
    return ": " + codes(values);
  }

  void write_keys(const std::string& table) {
    std::string text =
        "\nKey: " + codes(texts("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", table));
    for (const auto& index :
         texts("SELECT name FROM pragma_index_list(?) WHERE origin = 'u' ORDER BY seq DESC", table)) {
      text += "; unique: " + codes(texts("SELECT name FROM pragma_index_info(?) ORDER BY seqno", index));
    }
    page_.text += text + ".\n";
    const auto references = texts("SELECT DISTINCT id FROM pragma_foreign_key_list(?) ORDER BY id DESC", table);
    std::vector<std::string> all;
    for (const auto& id : references) {
      all.push_back(reference_text(table, id));
    }
    page_.text += all.empty() ? "" : "Refers to " + joined(all, "; to ") + ".\n";
  }

  std::string reference_text(const std::string& table, const std::string& id) {
    const auto column = [&](const std::string& what) {
      return texts("SELECT " + what + " FROM pragma_foreign_key_list(?) WHERE id = " + id + " ORDER BY seq", table);
    };
    const auto on_delete = column("on_delete").front();
    return code(column("\"table\"").front()) + " by " + codes(column("\"from\"")) +
           (on_delete == "CASCADE"    ? ", and goes with it"
            : on_delete == "SET NULL" ? ", null when it goes"
                                      : ", which cannot go before");
  }

  void write_indexes(const std::string& table) {
    const auto names =
        texts("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY rowid",
              table);
    page_.text += names.empty() ? "" : '\n' + std::string{indexes_head};
    for (const auto& name : names) {
      const auto sql = texts("SELECT sql FROM sqlite_schema WHERE name = ?", name).front();
      const auto where = sql.find(" WHERE ");
      page_.text += "| " + code(name) + " | " +
                    codes(texts("SELECT name FROM pragma_index_info(?) ORDER BY seqno", name)) +
                    (where == std::string::npos ? "" : " where " + code(sql.substr(where + 7))) + " | " +
                    meaning_of(name) + " |\n";
    }
  }

  std::vector<std::string> texts(const std::string& query, const std::string& value) {
    SQLite::Statement row{file_, query};
    row.bind(1, value);
    std::vector<std::string> all;
    while (row.executeStep()) {
      all.push_back(row.getColumn(0).getString());
    }
    return all;
  }

  SQLite::Database& file_;
  kept_words words_;
  schema_page page_;
  std::set<std::string> used_;
  std::string sql_;
};

}  // namespace

schema_page make_schema_page(SQLite::Database& file, std::string_view old_page) {
  return page_writer{file, page_reader{}.read(old_page)}.write();
}

}  // namespace troupe
