-- SPDX-License-Identifier: MIT
-- page.lua - what the book adds to a text: see lessons/book, which calls it for each page.

local page, file, work, source -- of this page; work is a directory for notes

local function directory(path) return path:match("^(.*)/[^/]*$") or "" end

-- a/b/../c is a/c; of a link in FILE, seen from the top of the tree
local function normal(path)
  local parts = {}
  for part in path:gmatch("[^/]+") do
    if part == ".." then table.remove(parts) elseif part ~= "." then table.insert(parts, part) end
  end
  return table.concat(parts, "/")
end

local function read(path)
  local f = path ~= "" and io.open(path)
  local text = f and f:read("a") -- nil for a directory
  if f then f:close() end
  return text
end

local function note(name, line)
  local f = assert(io.open(work .. "/" .. name, "a"))
  f:write(line, "\n")
  f:close()
end

-- as page_of in lessons/book
local function page_of(path)
  if path == "README.md" then return "readme.html" end
  if path == "lessons/README.md" then return "course.html" end
  return (path:gsub("^lessons/", ""):gsub("/README%.md$", ""):gsub("%.md$", ""):gsub("/", "-")) .. ".html"
end

-- The page of a file of the tree. If it is not a text, it becomes one of the source; nil: no such file.
local function to_file(path)
  local content = read(path)
  if not content or content:find("\0") then return nil end
  if not path:match("%.md$") then note("wanted", path) end
  return page_of(path)
end

local names = {} -- of functions, tables and macros: file and line
local function read_names()
  for name, where, line in read(work .. "/names"):gmatch("(%S+) (%S+) (%d+)\n") do
    names[name] = names[name] or { where, line }
  end
end

local function escaped(s) return (s:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" })) end
local function raw(s) return pandoc.RawBlock("html", s) end

-- The line of PATH at which an excerpt begins: all its lines up to the first /* ... */ stand there.
local function line_of(path, excerpt)
  local text = read(path)
  local wanted = (excerpt .. "\n"):match("^%s*/%* %.%.%. %*/\n(.*)") or (excerpt .. "\n")
  wanted = wanted:gsub("\n[ \t]*/%* %.%.%. %*/.*", "\n"):gsub("\n[ \t]*# %.%.%.\n.*", "\n"):gsub("^[ \t]*# %.%.%.\n", "")
  local at = text and ("\n" .. text):find("\n" .. wanted, 1, true)
  if not at then return 1 end
  return select(2, text:sub(1, at - 1):gsub("\n", "")) + 1
end

local labels = { root = "as root", vm = "in the virtual machine", ["no-run"] = "not run", user = "as an ordinary user" }

local function console(block)
  local label = labels[block.classes[2] or ""]
  local out = {}
  for line in (block.text .. "\n"):gmatch("(.-)\n") do
    local prompt, command = line:match("^([$>]) (.*)$")
    out[#out + 1] = prompt and '<span class="prompt">' .. escaped(prompt) .. '</span> <b>' .. escaped(command) .. "</b>" or escaped(line)
  end
  return raw('<div class="listing">' .. (label and '<p class="where">' .. label .. "</p>" or "") ..
    '<pre class="console"><code>' .. table.concat(out, "\n") .. "</code></pre></div>")
end

local function listing(block)
  if block.classes[1] == "console" then return console(block) end
  local path = block.attributes.file
  if source or not path then return nil end
  block.attributes.file = nil
  local line = line_of(path, block.text)
  local where = to_file(path)
  return { raw(string.format('<div class="listing"><p class="where"><a href="%s#L-%d">%s, line %d</a></p>', where, line, path, line)),
    block, raw("</div>") }
end

-- A name of the source, or the path of a file, leads there.
local reading = false -- are we in a section where names mean functions?
local function code(c)
  -- a browser would break a line within --explain
  if c.text:match("^%S+$") and #c.text <= 24 and not c.classes:includes("short") then c.classes:insert("short") end
  local name = c.text:gsub("%(%)$", ""):gsub("^struct ", "")
  local at = names[name]
  local sheet = file:find("/labs/") -- of a lab: there the function would be the solution
  if at and not sheet and (reading or name:find("_") or c.text:find("%(%)$")) then
    return pandoc.Link({ c }, page_of(at[1]) .. "#L-" .. at[2])
  end
  if c.text:match("^[%w_./-]+$") and (c.text:find("/") or c.text:match("%.[ch]$")) and not c.text:match("^/") then
    local to = to_file(normal(c.text))
    if to then return pandoc.Link({ c }, to) end
  end
  return c
end

local function link(l)
  if l.target:match("^%a+:") or l.target:match("^#") then return nil end
  local path, hash = l.target:match("^([^#]*)(.*)$")
  local to = to_file(normal(directory(file) .. "/" .. path))
  if not to then io.stderr:write("book: " .. file .. ": link to " .. l.target .. ": no such file\n"); os.exit(1) end
  l.target = to .. hash
  return l, false
end

local function image(i)
  local from = normal(directory(file) .. "/" .. i.src)
  local content = assert(read(from), from)
  i.src = from:gsub("/", "-"):gsub("^lessons%-", "")
  local to = assert(io.open(work:gsub("[^/]*$", "") .. i.src, "w"))
  to:write(content)
  to:close()
  -- on a phone letters must not become too small: there a picture is moved sideways, as code is
  local width = content:match('viewBox="0 0 (%d+)')
  if width then i.attributes.style = "min-width: " .. math.floor(width * 0.85) .. "px" end
  return i
end

local function paragraph(p)
  if #p.content == 1 and p.content[1].t == "Image" then
    return pandoc.Div({ pandoc.Plain(p.content) }, { class = "figure" })
  end
end

local filters = {
  traverse = "topdown",
  CodeBlock = listing,
  Link = function(l) local r = link(l); return r or l, false end,
  Code = code,
  Image = image,
  Table = function(t) return pandoc.Div({ t }, { class = "wide" }) end,
  RawBlock = function(b) if b.text:match("^%s*<!%-%-") then return {} end end,
}

-- The different words of a block, in small letters, of three and more.
local function words_of(text, words)
  for word in text:lower():gmatch("[%w_]+") do
    if #word > 2 and #word < 31 and not word:match("^%d") and not words[word] then
      words[word] = true
      words[#words + 1] = word
    end
  end
end

local function text_of(block)
  local text = pandoc.utils.stringify(block)
  pandoc.walk_block(pandoc.Div({ block }), { CodeBlock = function(b) text = text .. " " .. b.text end })
  return text
end

local function index(blocks, title)
  local section = { "", title, {} }
  local function finish()
    if #section[3] > 0 then
      note("index", page .. "\t" .. section[1] .. "\t" .. section[2] .. "\t" .. table.concat(section[3], " "))
    end
  end
  for _, block in ipairs(blocks) do
    if block.t == "Header" and block.level > 1 then
      finish()
      section = { block.identifier, title .. ": " .. pandoc.utils.stringify(block), {} }
    end
    words_of(text_of(block), section[3])
  end
  finish()
end

function Pandoc(doc)
  local function meta(name) return doc.meta[name] and pandoc.utils.stringify(doc.meta[name]) end
  page, file, work, source = meta("page"), meta("file") or "", meta("work"), meta("source")
  if source then
    note("index", page .. "\t\t" .. meta("pagetitle") .. "\t" .. meta("pagetitle"):lower():gsub("[^%w_]+", " "))
    return doc
  end
  read_names()
  if page ~= "index.html" then index(doc.blocks, meta("pagetitle")) end
  local out = pandoc.List()
  for _, block in ipairs(doc.blocks) do
    if block.t == "Header" then
      if block.level == 2 then
        local title = pandoc.utils.stringify(block)
        reading = title:find("[Rr]ead the source") or title:find("[Rr]ead it")
      end
      out:insert(block)
    else
      local done = block.t == "Para" and paragraph(block) or block
      out:extend(pandoc.walk_block(pandoc.Div({ done }), filters).content)
    end
  end
  doc.blocks = out
  return doc
end
