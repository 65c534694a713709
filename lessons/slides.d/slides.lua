-- SPDX-License-Identifier: MIT
-- slides.lua - cut a lesson into slides; a filter of pandoc, for lessons/slides.
--
-- A slide holds what a class looks at: code, commands with what they print, tables, pictures, and of the
-- text the sentence that begins a paragraph, those in bold, and the one that leads to a block. The
-- whole text is in the speaker's notes. What the lab asks for, in folds "after lab N", is left out.

local FULL = 15.4                 -- lines of text that a slide holds; see page.html
local TEXT, CODE = 72, 94       -- characters in a line
local slides, slide = {}, nil
local section = ''

local stringify = pandoc.utils.stringify
local function lines(length, width) return math.max(1, math.ceil(length / width)) end

-- ---- slides ----

local function new_slide(title, kind)
    slide = { title = pandoc.List(title), kind = kind or '', section = section, blocks = {}, notes = {}, weight = 0, part = 1 }
    slides[#slides + 1] = slide
end

-- What does not fit goes to one more slide of the same title, with the sentence that leads to it.
local function add(block, weight)
    local most = FULL + (weight < 2 and 1.5 or 0) -- no slide for a last short sentence
    if slide.weight > 0 and slide.weight + weight > most then
        local lead = slide.lead and table.remove(slide.blocks)
        local old = slide
        if lead then old.weight = old.weight - old.lead end
        new_slide(old.title, old.kind)
        slide.section, slide.part = old.section, old.part + 1
        if #old.blocks == 0 then table.remove(slides, #slides - 1); slide.notes = old.notes; slide.part = old.part end
        if lead then slide.blocks[1], slide.weight = lead, old.lead end
    end
    slide.lead = nil
    table.insert(slide.blocks, block)
    slide.weight = slide.weight + weight
end

-- ---- text ----

-- A file or a picture elsewhere is not there in the lecture; its name is.
local plain = { Link = function(link) return link.content end }

local function sentences(inlines)
    local all, now = {}, pandoc.List()
    for i, inline in ipairs(inlines) do
        local next = inlines[i + 1]
        local ends = (inline.t == 'Str' and inline.text:match('[.!?]["\')]*$')) or
            (inline.t == 'Strong' and stringify(inline):match('.%s.*[.!?]$'))
        if not (#now == 0 and (inline.t == 'Space' or inline.t == 'SoftBreak')) then now:insert(inline) end
        if ends and (not next or next.t == 'Space' or next.t == 'SoftBreak') then
            all[#all + 1] = now
            now = pandoc.List()
        end
    end
    if #now > 0 then all[#all + 1] = now end
    return all
end

local function add_text(para, before_block)
    local all, kept, lead = sentences(para.content), pandoc.List(), nil
    if before_block and stringify(para):match(':$') then lead = table.remove(all) end
    local short = #stringify(para) <= 160 or slide.kind == 'title'
    for i, sentence in ipairs(all) do
        local bold = false
        for _, inline in ipairs(sentence) do bold = bold or inline.t == 'Strong' end
        if short or i == 1 or bold then
            if #kept > 0 then kept:insert(pandoc.Space()) end
            kept:extend(sentence)
        end
    end
    if #kept > 0 then add(pandoc.Para(kept), lines(#stringify(kept), TEXT) + 0.4) end
    if lead then
        local weight = lines(#stringify(lead), TEXT) + 0.4
        add(pandoc.Para(lead), weight)
        slide.lead = weight
    end
end

-- ---- blocks ----

local function escape(text)
    return (text:gsub('&', '&amp;'):gsub('<', '&lt;'):gsub('>', '&gt;'))
end

-- Commands stand out from what they print; comments step back from code.
local function paint(text, language)
    text = escape(text)
    if language == 'console' then
        return (('\n' .. text):gsub('\n(%$ [^\n]*)', '\n<b>%1</b>'):gsub('\n(&gt; [^\n]*)', '\n<b>%1</b>'):sub(2))
    elseif language == 'c' then
        return (text:gsub('/%*.-%*/', function(s) return '<i>' .. s .. '</i>' end))
    elseif language == 'sh' then
        return (('\n' .. text):gsub('([\n ]#[^\n]*)', '<i>%1</i>'):sub(2):gsub('^i>\n', '<i>'))
    end
    return text
end

local function add_code(block)
    local language, file = (block.classes[1] or ''):match('^([^@]*)@?(.*)$')
    local label = language == 'console' and (file:match('root') and 'as root' or file:match('vm') and 'in the VM' or '') or file
    if file == 'no-run' then label = '' end
    local piece, height = {}, 0
    local function flush()
        while piece[1] == '' do table.remove(piece, 1) end
        while piece[#piece] == '' do table.remove(piece) end
        if #piece > 0 then
            local html = '<pre class="' .. (language == '' and 'drawing' or language) .. '">' ..
                (label ~= '' and '<span class="file">' .. escape(label) .. '</span>' or '') ..
                '<code>' .. paint(table.concat(piece, '\n'), language) .. '</code></pre>'
            add(pandoc.RawBlock('html', html), height * 0.67 + 1)
        end
        piece, height = {}, 0
    end
    local all, total = {}, 0
    for line in (block.text .. '\n'):gmatch('([^\n]*)\n') do
        all[#all + 1] = line
        total = total + lines(#line, CODE)
    end
    -- a long block goes on behind a whole command, or a whole function
    local enough = total / math.ceil(total / 20)
    for i, line in ipairs(all) do
        local whole = language == 'console' and line:match('^%$ ') or all[i - 1] == ''
        if total > 20 and language ~= '' and #all - i > 2 and (whole and height >= enough - 4 or height >= 20) then flush() end
        piece[#piece + 1] = line
        height = height + lines(#line, CODE)
    end
    flush()
end

local function add_picture(image)
    local file = io.open(image.src, 'rb')
    if not file then error('no picture ' .. image.src) end
    local data = file:read('a')
    file:close()
    data = data:gsub('[^%w%-._~]', function(c) return string.format('%%%02X', c:byte()) end)
    local html = '<img alt="' .. escape(stringify(image.caption)):gsub('"', '&quot;') ..
        '" src="data:image/svg+xml,' .. data .. '">'
    add(pandoc.RawBlock('html', html), 13) -- it takes what the text leaves
end

local function add_list(list)
    local start = list.start or 1
    for i, item in ipairs(list.content) do
        local weight = 0.2
        for _, block in ipairs(item) do
            if block.t == 'CodeBlock' then weight = weight + select(2, block.text:gsub('\n', '')) + 2
            else weight = weight + lines(#stringify(block), TEXT - 4) end
        end
        local one = list.t == 'OrderedList' and pandoc.OrderedList({ item }, pandoc.ListAttributes(start + i - 1))
            or pandoc.BulletList({ item })
        add(one, weight)
    end
end

local function add_table(t)
    local simple, weight = pandoc.utils.to_simple_table(t), 1
    local columns = #simple.headers
    for _, row in ipairs(simple.rows) do
        local all, most = 0, 1
        for _, cell in ipairs(row) do
            local n = #stringify(cell)
            all = all + n
            most = math.max(most, lines(n, math.max(18, CODE * 1.1 / columns)))
        end
        weight = weight + math.max(lines(all, CODE * 1.1), columns > 2 and most or 1) * 0.9 + 0.35
    end
    local rows = #simple.rows
    if weight <= FULL + 1 or rows < 4 then add(t, math.min(weight, FULL)) return end
    local pieces = math.ceil(weight / FULL)
    local each = math.ceil(rows / pieces)
    for first = 1, rows, each do
        local part = {}
        for i = first, math.min(first + each - 1, rows) do part[#part + 1] = simple.rows[i] end
        add(pandoc.utils.from_simple_table(pandoc.SimpleTable({}, simple.aligns, simple.widths, simple.headers, part)),
            weight / pieces)
    end
end

-- Of an exercise the first sentence; with its number and stars.
local function add_exercise(para)
    local all = sentences(para.content)
    local text = pandoc.List(all[1])
    if #stringify(text) < 12 and all[2] then text:insert(pandoc.Space()) text:extend(all[2]) end
    add(pandoc.Para(text), lines(#stringify(text), TEXT) + 0.4)
end

-- ---- the lesson ----

function Pandoc(doc)
    local fold, exercises, skip = nil, false, false
    for i, block in ipairs(doc.blocks) do
        local next = doc.blocks[i + 1]
        local before = next and (next.t == 'CodeBlock' or next.t == 'Table' or next.t:match('List$') or
            (next.t == 'Para' and next.content[1].t == 'Image'))
        if block.t ~= 'RawBlock' then block = pandoc.walk_block(block, plain) end
        if block.t == 'RawBlock' then
            local summary = block.text:match('<summary>(.-)</summary>')
            if summary then
                fold = summary
                if fold == 'Predictions' then new_slide(pandoc.List { pandoc.Str 'Predictions: what happens' }) skip = false
                else skip = true end
            elseif block.text:match('</details>') then
                fold, skip = nil, section == 'Answers'
            end
        elseif skip and not (block.t == 'Header' and block.level <= 2) then
            goto continue
        elseif block.t == 'Header' then
            local title = stringify(block)
            if block.level == 1 then new_slide(block.content, 'title')
            else
                if block.level == 2 then section = title end
                skip = title == 'Further reading' or title == 'Answers' or title == 'The lab comes first'
                exercises = title == 'Exercises'
                if not skip then
                    new_slide(block.content)
                    if block.level == 2 then slide.section = '' end
                end
            end
        else
            if not slide then new_slide(pandoc.List {}) end
            if block.t == 'CodeBlock' then add_code(block)
            elseif block.t == 'Table' then add_table(block)
            elseif block.t:match('List$') and block.t ~= 'DefinitionList' then add_list(block)
            elseif block.t == 'Para' and block.content[1].t == 'Image' then add_picture(block.content[1])
            elseif block.t == 'Para' and exercises then
                slide.list = true
                if block.content[1].t == 'Strong' then add_exercise(block) end
            elseif block.t == 'Para' then add_text(block, before)
            else add(block, lines(#stringify(block), TEXT) + 0.4) end
            if block.t == 'Para' and block.content[1].t ~= 'Image' then table.insert(slide.notes, block) end
        end
        ::continue::
    end

    local out = pandoc.List()
    for _, s in ipairs(slides) do
        -- where there is only text, and not much of it, all of it can stand
        local only_text, weight = true, 0
        for _, block in ipairs(s.blocks) do only_text = only_text and block.t == 'Para' end
        for _, block in ipairs(s.notes) do weight = weight + lines(#stringify(block), TEXT) + 0.4 end
        if only_text and weight <= 11 and #s.notes > 0 and not s.list then s.blocks = s.notes end
        if #s.blocks > 0 or s.kind == 'title' then
            local notes = #s.notes > 0 and pandoc.Div(s.notes, pandoc.Attr('', { 'notes' })) or pandoc.Null()
            local title = s.title:clone()
            if s.part > 1 then title:insert(pandoc.RawInline('html', ' <small>' .. s.part .. '</small>')) end
            out:insert(pandoc.Div({
                pandoc.Div({ pandoc.Header(s.kind == 'title' and 1 or 2, title),
                    pandoc.Div(s.blocks, pandoc.Attr('', { 'body' })) },
                    pandoc.Attr('', { 'stage' }, { section = s.section })), notes
            }, pandoc.Attr('', { 'slide', s.kind ~= '' and s.kind or nil })))
        end
    end
    doc.meta.title = stringify(slides[1].title)
    return pandoc.Pandoc(out, doc.meta)
end
