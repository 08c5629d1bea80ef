"""One document with every kind of block, in both languages: hostile words, rare names, long digests."""

from __future__ import annotations

import struct
import zlib

from reports.document import (
    Blank,
    Block,
    Box,
    Bullets,
    Document,
    Facts,
    Heading,
    PageBreak,
    Paragraph,
    Picture,
    Table,
)

HOSTILE = '#read("/etc/passwd") *bold* $x$ <script>alert(1)</script> & \\ ` @ref [link](x) //c'
DIGEST = "4f9c2b" * 11
RARE = "㙍龘堃昇〇"
BEYOND = "𠮷"
LATIN = "Łódź São João Việt Ελλάς Москва ☐ ☑ ✗ ✓"


def build_png(width: int = 60, height: int = 40) -> bytes:
    """Return a grey PNG."""
    rows = b"".join(b"\0" + b"\xc8" * width for _row in range(height))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def build_chinese(*more: Block, status: str = "征求意见稿", rare: str = RARE) -> Document:
    """Return the Chinese sample."""
    rows = tuple(
        (f"第{n}社区", "<10" if n % 5 == 0 else f"{n * 37:,}", "第一小学", "第二小学；第三小学") for n in range(1, 61)
    )
    blocks: tuple[Block, ...] = (
        Paragraph("为保障适龄儿童就近入学，现将方案予以公示。", "lead"),
        Facts((("公示期", "2026年3月1日至2026年3月30日"), ("数据指纹", DIGEST), ("地址", ""))),
        Box("尚缺以下程序", ("听证", "专家论证"), "warn"),
        Heading("一、调整的学校"),
        Heading("第一小学", 3),
        Paragraph("学区“东至幸福路”，步行12.5分钟。\n第二行。"),
        Bullets(("不变的社区不列出", "较长的一点" * 12)),
        Bullets(("步骤甲", "步骤乙"), numbered=True),
        Picture("map", "第一小学的学区图", "图1 学区"),
        Table(
            ("社区", "学生", "调整前", "调整后"),
            rows,
            (0.25, 0.15, 0.25, 0.35),
            ("left", "right", "left", "left"),
            "表1",
            "注：不足10人不公布",
        ),
        Paragraph(rare + HOSTILE, "small"),
        Paragraph(LATIN),
        PageBreak(),
        Heading("二、意见"),
        Blank("您的社区"),
        Blank("您的意见", 4),
        Paragraph("请勿填写儿童姓名。", bold=True),
        Paragraph("示例县教育局", align="right"),
    )
    return Document(
        "示例县招生范围调整公示",
        "zh",
        (*blocks, *more),
        subtitle="合成数据",
        status=status,
        footer="资料来源：合成数据\n公示编号 k3m9x2p7q4ab",
        author="示例县教育局",
        contents=True,
        pictures={"map": build_png()},
    )


def build_english() -> Document:
    """Return a short English sample."""
    table = Table(
        ("Community", "Children", "Kindergarten today"), (("Riverside", "<10", "First “Little” Kindergarten"),)
    )
    blocks = (
        Heading("What is proposed"),
        Paragraph("Two schools become one — from 2027."),
        table,
        Blank("Your name is not asked"),
    )
    return Document("Proposal for comment", "en", blocks, status="Draft for comment", footer="Synthetic data")
